import type { GrantTerms } from '@grantlog/domain';

/** Who acts, and inside it on whose behalf that one acted in turn; each by client id, which is its `sub` when it acts for itself. */
export type ActClaim = { readonly sub: string; readonly act?: ActClaim };

/**
 * The `act` claim of a grant by token exchange, the present actor outermost; undefined for what a person allowed directly.
 *
 * @see RFC 8693 §4.1
 */
export const actClaimOf = ({ delegation }: Pick<GrantTerms, 'delegation'>): ActClaim | undefined =>
  delegation?.actors.reduceRight<ActClaim | undefined>((act, sub) => (act === undefined ? { sub } : { sub, act }), undefined);
