import type { Instant } from '../ids.ts';
import type { IssueRules, Narrowing } from './commands.ts';
import type { GrantTerms, Issue } from './events.ts';

export type Selection =
  | { readonly ok: true; readonly scopes: readonly number[]; readonly resource: number | null }
  | { readonly ok: false; readonly refusal: 'scope_not_granted' | 'resource_not_granted' | 'resource_ambiguous' };

/**
 * What a token request asks for, as indices into what the grant allows: never more (RFC 6749 §6, RFC 8707 §2.2).
 * A request that names no resource gets the grant's only one; of several, it has to say which.
 */
export const select = (terms: GrantTerms, narrowing: Narrowing): Selection => {
  const { allowed } = narrowing;
  const mayScope = (scope: string): boolean => allowed === undefined || allowed.scopes.includes(scope);
  const mayResource = (resource: string): boolean => allowed === undefined || allowed.resources.includes(resource);
  const wanted = narrowing.scopes ?? terms.scopes.filter(mayScope);
  const scopes = wanted.map((scope) => (mayScope(scope) ? terms.scopes.indexOf(scope) : -1));
  if (scopes.includes(-1) || (scopes.length === 0 && terms.scopes.length > 0)) return { ok: false, refusal: 'scope_not_granted' };
  if (narrowing.resource === null) {
    if (terms.resources.length > 1) return { ok: false, refusal: 'resource_ambiguous' };
    const [only] = terms.resources;
    if (only === undefined) return { ok: true, scopes: inOrder(scopes), resource: null };
    return mayResource(only) ? { ok: true, scopes: inOrder(scopes), resource: 0 } : { ok: false, refusal: 'resource_not_granted' };
  }
  const resource = mayResource(narrowing.resource) ? terms.resources.indexOf(narrowing.resource) : -1;
  return resource === -1 ? { ok: false, refusal: 'resource_not_granted' } : { ok: true, scopes: inOrder(scopes), resource };
};

const inOrder = (indices: readonly number[]): readonly number[] => [...new Set(indices)].sort((a, b) => a - b);

export type IssueRequest = {
  readonly sequence: number;
  readonly now: Instant;
  readonly authorizedAt: Instant;
  readonly rules: IssueRules;
  readonly selection: Extract<Selection, { ok: true }>;
  readonly proofKey: string | null;
  readonly context: string | null;
};

/** The facts from which a pair of tokens is computed, now and whenever its response is asked for again. */
export const issueOf = ({ sequence, now, authorizedAt, rules, selection, proofKey, context }: IssueRequest): Issue => {
  const seconds = Math.floor(now / 1000);
  const cap = rules.grantMaxSeconds === null ? Number.POSITIVE_INFINITY : Math.floor(authorizedAt / 1000) + rules.grantMaxSeconds;
  return {
    sequence,
    issuedAt: Math.floor(now),
    accessExpiresAt: Math.min(seconds + rules.accessTokenSeconds, cap),
    refreshExpiresAt: rules.refreshTokenSeconds === null ? null : Math.min(seconds + rules.refreshTokenSeconds, cap),
    scopes: selection.scopes,
    resource: selection.resource,
    tokenKeyId: rules.tokenKeyId,
    ...(proofKey === null ? {} : { jkt: proofKey }),
    ...(context === null ? {} : { context }),
  };
};

/** The same issue, ending no later than any token that its grant stands on, and without a refresh token where it stands on one. */
export const withinSources = ({ delegation }: Pick<GrantTerms, 'delegation'>, issue: Issue): Issue =>
  delegation === undefined
    ? issue
    : {
        ...issue,
        accessExpiresAt: Math.min(issue.accessExpiresAt, ...delegation.sources.map(({ expiresAt }) => expiresAt)),
        refreshExpiresAt: null,
      };
