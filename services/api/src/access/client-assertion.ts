import type { JwtClaims, JwtRefusal, PublicJwk } from '@grantlog/crypto';
import { verifiableAlgs, verifyJwt } from '@grantlog/crypto';
import type { ClientRecord } from '@grantlog/domain';
import type { OAuthError } from '@grantlog/protocol';
import { clientAuthenticationError } from '@grantlog/protocol';
import type { Deps } from '../deps.ts';
import type { RemoteVerification } from '../remote-keys/remote-keys.ts';

/** Seconds that a client's clock may be off. */
const toleranceSeconds = 30;
/** Seconds until an assertion runs out, at most: its `jti` is remembered until then. */
const longestSeconds = 3_600;

/** An assertion that its client has signed for us just now. What is left is to use it up. */
export type VerifiedAssertion = {
  readonly jti: string;
  /** Milliseconds since the epoch, as it is signed. */
  readonly expiresAtMs: number;
};

type Against = {
  readonly realm: string;
  readonly issuer: string;
  /** Where `aud` may point: the issuer, and the URLs that clients of before point to. */
  readonly audiences: readonly string[];
  readonly now: number;
  /** Asked before keys are fetched for a client that nobody has let in: null to let it, or words for why not. */
  readonly admit?: () => Promise<string | null>;
};

/** What is told of an assertion whose signature is good; null for what anybody could have made up, which stays one sentence. */
const told = {
  malformed: null,
  algorithm_not_allowed: null,
  critical_header: null,
  wrong_type: null,
  no_matching_key: null,
  bad_signature: null,
  wrong_issuer: 'iss of client_assertion has to be the client_id, as sub is',
  wrong_audience: 'aud of client_assertion has to be the issuer of this server, and nobody else',
  no_expiry: 'client_assertion has no exp',
  expired: 'client_assertion has expired: make a new one for each request',
  not_yet_valid: 'client_assertion is not valid yet: compare the clocks',
} as const satisfies Record<JwtRefusal, string | null>;

const keysByValue = ({ jwks }: ClientRecord): readonly PublicJwk[] =>
  // Their form was checked when they were registered.
  ((jwks as { readonly keys?: readonly PublicJwk[] } | null)?.keys ?? []) as readonly PublicJwk[];

/** Operators and developers are somebody; whoever registers or describes itself may not point us at this machine. */
const isStranger = ({ how }: ClientRecord): boolean => how === 'dynamic' || how === 'metadata_document';

const verifyByKeysOf = (
  deps: Pick<Deps, 'remoteKeys'>,
  client: ClientRecord,
  { admit }: Pick<Against, 'admit'>,
  verify: (keys: readonly PublicJwk[]) => ReturnType<typeof verifyJwt>,
): Promise<RemoteVerification> =>
  client.jwksUri === null
    ? verify(keysByValue(client))
    : deps.remoteKeys.verify(client.jwksUri, { allowLoopback: !isStranger(client), ...(admit === undefined ? {} : { admit }) }, verify);

/**
 * Verifies that a client signed this assertion, for us and for now.
 *
 * `aud` is the issuer, or a URL of ours that older clients point to; never somebody else's beside it, who could show us what
 * they were sent. Why a signed assertion is refused is told; whoever cannot sign learns as little as one with a wrong secret.
 *
 * @throws OAuthError `invalid_client`
 * @see RFC 7523 §3; draft-ietf-oauth-rfc7523bis; FAPI 2.0 Security Profile §5.3.2.1
 */
export const verifyAssertion = async (
  deps: Pick<Deps, 'remoteKeys'>,
  client: ClientRecord,
  assertion: string,
  against: Against,
): Promise<VerifiedAssertion> => {
  const { realm, now } = against;
  const fail = (reason: string, description?: string | null): OAuthError =>
    clientAuthenticationError({ realm, reason: `client assertion: ${reason}`, ...(description == null ? {} : { description }) });
  const verified = await verifyByKeysOf(deps, client, against, (keys) =>
    verifyJwt({
      jwt: assertion,
      keys,
      typ: ['JWT', 'client-authentication+jwt'],
      mayOmitTyp: true,
      algs: client.assertionAlg === null ? verifiableAlgs : [client.assertionAlg],
      issuer: client.clientId,
      audience: against.audiences,
      soleAudience: true,
      now,
      toleranceSeconds,
    }),
  );
  switch (verified.outcome) {
    case 'unavailable':
      throw fail(`the keys cannot be had: ${verified.why}`);
    case 'refused':
      throw fail(verified.reason, told[verified.reason]);
    case 'verified':
      return checkClaims(verified.claims, client.clientId, { seconds: Math.floor(now / 1000), fail });
  }
};

const checkClaims = (
  { sub, jti, exp, iat }: JwtClaims,
  clientId: string,
  { seconds, fail }: { readonly seconds: number; readonly fail: (reason: string, description: string) => OAuthError },
): VerifiedAssertion => {
  if (sub !== clientId) throw fail('sub is not the client', 'sub of client_assertion has to be the client_id');
  if (typeof jti !== 'string' || jti === '') throw fail('no jti', 'client_assertion has no jti: give each a new one');
  if (iat !== undefined && (typeof iat !== 'number' || iat > seconds + toleranceSeconds))
    throw fail('iat is in the future, or no number', 'iat of client_assertion is in the future: compare the clocks');
  if (typeof exp !== 'number' || exp > seconds + longestSeconds + toleranceSeconds)
    throw fail('exp is too far away', `exp of client_assertion is more than ${longestSeconds} seconds away`);
  return { jti, expiresAtMs: exp * 1000 };
};
