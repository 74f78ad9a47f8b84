import type { AccountId, AccountState, PlatformDocument } from '@grantlog/domain';
import { satisfies } from '@grantlog/domain';
import {
  type BearerChallenge,
  type BearerRefusal,
  basicChallenge,
  bearerChallenge,
  type DpopHint,
  isSentByForeignPage,
  ProblemError,
  problem,
  resourceMetadataUrl,
  sameResource,
} from '@grantlog/protocol';
import type { By, PlatformNames } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { authenticateBasic, type BasicCredentials } from './authenticate-basic.ts';
import { readBasicCredentials } from './basic-credentials.ts';
import type { BasicRefusal, BasicRefusalReason, ExplorationNotice } from './exploration.ts';
import { resolveShown } from './resolve-shown.ts';
import { dpopOf, readShownToken, type ShownToken } from './shown-token.ts';
import { visitorOf } from './visitor.ts';

/** An account that asks about what is its own. */
export type AuthenticatedAccount = {
  readonly account: AccountId;
  readonly record: Extract<AccountState, { status: 'active' }>;
  readonly by: By;
} & ({ readonly how: 'bearer' } | { readonly how: 'basic'; readonly notice: ExplorationNotice });

/** The scope that the request needs; the built-in resource under the issuer is called the same. */
export type Need = 'account' | 'developer';

type Place = { readonly document: PlatformDocument; readonly issuer: string; readonly realm: string; readonly need: Need };

const refusal = (told: {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly members?: Readonly<Record<string, unknown>>;
}): ProblemError => {
  const { status, code, title, detail, reason } = told;
  return new ProblemError(problem({ status, type: `urn:grantlog:problem:${code}`, title, detail, members: { code, ...told.members } }), {
    ...(reason === undefined ? {} : { reason }),
    headers: { 'cache-control': 'no-store', ...told.headers },
  });
};

/** Bearer comes first: many clients read only the first challenge, and browsers find Basic wherever it stands. */
const challenges = (place: Place, refused: Pick<BearerChallenge, 'error' | 'errorDescription' | 'dpop'> = {}): string => {
  const { document, issuer, realm, need } = place;
  const bearer = bearerChallenge({
    realm,
    ...refused,
    scope: [need],
    resourceMetadata: resourceMetadataUrl(`${issuer}/${need}`),
    ...(document.switches.arloChallenges ? { compatibility: 'arlo' } : {}),
  });
  return document.switches.basicForExploration ? `${bearer}, ${basicChallenge(realm, 'UTF-8')}` : bearer;
};

const unauthorized = (
  place: Place,
  why: {
    readonly code: string;
    readonly detail: string;
    readonly reason?: string;
    readonly error?: BearerRefusal;
    readonly dpop?: DpopHint | undefined;
  },
): ProblemError => {
  const { error, dpop, detail, ...told } = why;
  const challenge = challenges(place, error === undefined ? {} : { error, errorDescription: detail, dpop });
  return refusal({ ...told, status: 401, title: 'Who asks is not known', detail, headers: { 'www-authenticate': challenge } });
};

const statusOfBasic = {
  invalid_credentials: 401,
  too_many_attempts: 429,
  second_factor_enabled: 403,
  second_factor_required: 403,
  exploration_ended: 403,
  daily_limit_reached: 403,
  account_unusable: 403,
} as const satisfies Record<BasicRefusalReason, number>;

const basicRefused = (place: Place, { reason: code, description: detail, retryAfter, documentation }: BasicRefusal): ProblemError => {
  if (statusOfBasic[code] === 401) return unauthorized(place, { code, detail });
  return refusal({
    status: statusOfBasic[code],
    code,
    title: 'HTTP Basic is refused',
    detail,
    members: documentation === null ? {} : { documentation },
    headers: retryAfter === null ? {} : { 'retry-after': String(retryAfter) },
  });
};

const byToken = async (deps: Deps, names: PlatformNames, shown: ShownToken, place: Place): Promise<Omit<AuthenticatedAccount, 'by'>> => {
  const { need, issuer, document } = place;
  const dpop = dpopOf(shown);
  const invalid = (reason: string): ProblemError =>
    unauthorized(place, {
      code: 'invalid_token',
      error: 'invalid_token',
      detail: 'The access token is invalid, expired or revoked',
      reason,
      dpop,
    });
  const { live, refusal: refused } = await resolveShown(deps, names, shown);
  if (live === null && !refused.isLive) throw invalid(refused.reason);
  if (live === null) throw unauthorized(place, { ...refused, error: refused.code, detail: refused.description });
  if (live.kind !== 'access') throw invalid('it is a refresh token');
  // A token for another resource was given to that resource, which could bring it here (RFC 8707 §2).
  if (live.token.resource === null || !sameResource(live.token.resource, `${issuer}/${need}`)) throw invalid('it is for another resource');
  if (live.grant.terms.account === null || live.account?.status !== 'active') throw invalid('no account stands behind it');
  if (!satisfies(live.token.scopes, [need], document)) {
    const detail = `The access token lacks the scope ${need}`;
    const headers = { 'www-authenticate': challenges(place, { error: 'insufficient_scope', errorDescription: detail, dpop }) };
    throw refusal({ status: 403, code: 'insufficient_scope', title: 'A scope is missing', detail, headers });
  }
  return { account: live.grant.terms.account, record: live.account, how: 'bearer' };
};

/**
 * Proves an account for what is its own: by an access token for `{issuer}/{need}` with that scope or, on platforms that
 * take HTTP Basic for exploration, by its email and password within those limits.
 *
 * Browsers repeat Basic credentials by themselves, so a request that comes from another origin's page is refused: it would
 * act, or use up what the account has for today.
 *
 * @throws ProblemError 401 with the challenges, Bearer first; 403 and 429 in words that name the way out.
 * @see RFC 6750 §3; RFC 7617 §2; RFC 6454 §7
 */
export const authenticateAccount = async (
  deps: Deps,
  request: FastifyRequest,
  names: PlatformNames,
  need: Need,
): Promise<AuthenticatedAccount> => {
  const platform = foldPlatform(await deps.log.load(names.platform, platformStreams));
  if (platform.status === 'none') throw new Error(`the platform ${names.platform} has names and no document`);
  const { document } = platform;
  const issuer = issuerOf(document, deps.config.publicUrl);
  const place: Place = { document, issuer, realm: names.platform, need };
  const { origin, authorization } = request.headers;
  if ((origin !== undefined && origin !== new URL(issuer).origin) || isSentByForeignPage(request)) {
    const detail = 'Pages of other origins cannot act here. Send the request from a program, or from a page of this server';
    const reason = `the request comes from ${origin ?? 'a page of another origin'}`;
    throw refusal({ status: 403, code: 'foreign_origin', title: 'Wrong origin', detail, reason });
  }
  const byOf = (account: AccountId): By => ({ actor: { kind: 'account', id: account }, correlationId: request.traceparent });

  const shown = readShownToken(deps, request);
  if (shown?.token === '') {
    const dpop = dpopOf(shown);
    throw unauthorized(place, { code: 'invalid_token', error: 'invalid_token', detail: 'The access token is malformed', dpop });
  }
  if (shown !== null) {
    const proved = await byToken(deps, names, shown, place);
    return { ...proved, how: 'bearer', by: byOf(proved.account) };
  }
  const basic: BasicCredentials | 'malformed' | null = document.switches.basicForExploration ? readBasicCredentials(authorization) : null;
  if (basic === 'malformed') throw unauthorized(place, { code: 'invalid_credentials', detail: 'The HTTP Basic credentials are malformed' });
  if (basic === null) {
    const detail = `An access token for ${issuer}/${need} with the scope ${need} is required in the Authorization header`;
    throw unauthorized(place, { code: 'credentials_required', detail });
  }
  const by: By = { actor: { kind: 'system', id: 'sign-in' }, correlationId: request.traceparent };
  const judged = await authenticateBasic(deps, names, { ...basic, visitor: visitorOf(request), document, by });
  if (judged.outcome === 'refused') throw basicRefused(place, judged);
  const { account, record, notice } = judged;
  return { account, record, how: 'basic', notice, by: byOf(account) };
};
