import type { AccountState, GrantState, Issue, PlatformDocument } from '@grantlog/domain';
import { findResource } from '../platforms/own-resources.ts';

type Place = { readonly document: PlatformDocument; readonly issuer: string };
type Granted = Pick<Exclude<GrantState, { status: 'none' | 'denied' }>, 'context' | 'terms'>;

const has = ({ contexts }: PlatformDocument, account: AccountState | null, context: string): boolean =>
  contexts !== null && account !== null && 'contexts' in account && account.contexts.ids.includes(context);

/** The context of a grant as it stands now: null where it has none, or where its account has lost it since. */
export const standingContext = (document: PlatformDocument, { context }: Granted, account: AccountState | null): string | null =>
  context !== null && has(document, account, context) ? context : null;

/** Whether a grant is for the one context for good: the app asked for it, or the tokens that it stands on have it. */
export const isPinned = ({ terms }: Pick<Granted, 'terms'>): boolean => terms.contextPinned === true || terms.delegation !== undefined;

/**
 * Whether a person's grant lacks the context without which a token for `resource` is good for nothing: the resource is of
 * one context, or the platform's resources need one. What this server is itself needs none, and neither does a client
 * that acts for nobody.
 */
export const lacksContext = (
  { document, issuer }: Place,
  grant: Granted,
  of: { readonly account: AccountState | null; readonly resource: string | null },
): boolean => {
  if (document.contexts === null || grant.terms.account === null || of.resource === null) return false;
  const found = findResource(document, issuer, of.resource);
  if (found === null) return false;
  const standing = standingContext(document, grant, of.account);
  if (found.context !== null) return standing !== found.context;
  return document.contexts.required && standing === null && document.resources.includes(found.definition);
};

/** An issue without the context that its account has lost since: a JWT is read where nobody asks us. */
export const issueAsItStands = (document: PlatformDocument, issue: Issue, account: AccountState | null): Issue => {
  const { context, ...bare } = issue;
  return context === undefined || has(document, account, context) ? issue : bare;
};
