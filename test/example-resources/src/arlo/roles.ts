/** What somebody's roles let them see: everything, what belongs to one contact, or nothing, and why. */
export type Reach =
  | { readonly kind: 'everything' }
  | { readonly kind: 'own'; readonly contactId: number }
  | { readonly kind: 'nothing'; readonly reason: string };

/**
 * The pre-conditions of the documents, the same for HTTP Basic and OAuth: API User and Administrator together see and
 * change everything, Presenter with API User reads its own, everybody else nothing.
 *
 * @param presenter the account bound to `contactId`; null where none is.
 */
export const reachOf = (
  who: { readonly subject: string; readonly roles: readonly string[] },
  presenter: { readonly account: string | null; readonly contactId: number },
): Reach => {
  const has = (role: string): boolean => who.roles.includes(role);
  if (has('api_user') && has('administrator')) return { kind: 'everything' };
  if (!has('api_user') || !has('presenter')) {
    return {
      kind: 'nothing',
      reason:
        'The account needs the roles api_user and administrator together, or api_user and presenter for its own records. An administrator can add them',
    };
  }
  if (who.subject === presenter.account) return { kind: 'own', contactId: presenter.contactId };
  return {
    kind: 'nothing',
    reason: 'The account has the roles presenter and api_user, but no contact is bound to it, so there is nothing of its own',
  };
};
