import {
  type BearerRefusal,
  basicChallenge,
  bearerChallenge,
  bearerError,
  type ChallengeCompatibility,
  type DpopHint,
  dpopChallenge,
  oauthErrorBody,
} from '@grantlog/protocol';
import type { HeaderList, RefusalBody, RefusalStatus, Refused } from './outcome.ts';

/** Where a request was refused: everything that its challenges name. */
export type Place = {
  readonly realm: string;
  readonly resourceMetadata: string;
  /** What the operation needs. */
  readonly scope: readonly string[];
  readonly compatibility: ChallengeCompatibility | undefined;
  /** What refusals of the token that was shown say of proofs; left out where it came without. */
  readonly dpop?: DpopHint | undefined;
  /** Whether HTTP Basic is a way in. */
  readonly takesBasic: boolean;
};

/** The headers come first so that none of ours is lost among them; no cache may answer the next person with a refusal. */
const refused = (status: RefusalStatus, headers: HeaderList, body: RefusalBody): Refused => ({
  kind: 'refused',
  status,
  headers: [...headers, ['Cache-Control', 'no-store']],
  body,
});

/**
 * Every way in, and no error code of Bearer: no token was shown that one could speak of.
 * Bearer comes first, for clients that read one challenge only.
 *
 * @see RFC 6750 §3.1; RFC 9728 §5.1; RFC 7617 §2.1
 */
export const unauthenticated = (place: Place, body: RefusalBody): Refused => {
  const { realm, scope, resourceMetadata } = place;
  const bearer = ['WWW-Authenticate', bearerChallenge({ realm, scope, resourceMetadata })] as const;
  return refused(401, place.takesBasic ? [bearer, ['WWW-Authenticate', basicChallenge(realm, 'UTF-8')]] : [bearer], body);
};

const statusOf = {
  invalid_request: 400,
  invalid_token: 401,
  expired_token: 401,
  insufficient_scope: 403,
  invalid_dpop_proof: 401,
} as const satisfies Record<BearerRefusal, RefusalStatus>;

/** A refusal of the token that was shown, with its challenge; a second one says where a proof is missing. */
export const refuseToken = (place: Place, code: BearerRefusal, description: string): Refused => {
  const { realm, scope, resourceMetadata, compatibility, dpop } = place;
  const error = bearerError({
    code,
    description,
    realm,
    scope,
    resourceMetadata,
    // Each challenge has a header of its own here.
    dpop: dpop?.scheme === 'DPoP' ? dpop : undefined,
    ...(compatibility === undefined ? {} : { compatibility }),
  });
  const challenges = [error.headers['www-authenticate'] ?? '', ...(dpop?.scheme === 'Bearer' ? [dpopChallenge(dpop.algs)] : [])];
  return refused(
    statusOf[code],
    challenges.map((challenge) => ['WWW-Authenticate', challenge] as const),
    oauthErrorBody(error),
  );
};

/** A refusal that no other user name and password would change. */
export const refuseAccount = (body: RefusalBody, retryAfter: number | null): Refused =>
  refused(403, retryAfter === null ? [] : [['Retry-After', String(retryAfter)]], body);

export const refuseForNow = (body: RefusalBody, retryAfter: number): Refused => refused(429, [['Retry-After', String(retryAfter)]], body);

/** Nobody can tell whether the credentials are good: nothing is allowed, and nothing said against them. */
export const unavailable = (retryAfter: number): Refused =>
  refused(503, [['Retry-After', String(retryAfter)]], {
    error: 'temporarily_unavailable',
    error_description: 'Access cannot be checked at the moment. Try again later with the same credentials',
  });
