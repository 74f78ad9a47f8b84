import type { JwtClaims, JwtRefusal } from '@grantlog/crypto';
import { verifiableAlgs, verifyJwt } from '@grantlog/crypto';
import type { TrustedIssuer } from '@grantlog/domain';
import { OAuthError } from '@grantlog/protocol';
import type { Deps } from '../deps.ts';
import type { ClaimedAssertion } from './claimed-assertion.ts';

/** Seconds that an issuer's clock may be off. */
const toleranceSeconds = 30;
/** Seconds until an assertion runs out, at most: it is good once, and remembered until then. */
const longestSeconds = 3_600;

/** What a provider says of one person, for one client, to us. Signed by it, and of now. */
export type ProvedAssertion = {
  /** Null where it leaves the scopes to us. */
  readonly scope: string | null;
  /** Null where it leaves the resource to us. */
  readonly resources: readonly string[] | null;
  /** Thumbprint of the key that the client has to show; null where it binds to none. */
  readonly jkt: string | null;
  /** When the person signed in there; whole seconds since the epoch. */
  readonly authTime: number | null;
  readonly amr: readonly string[] | null;
  /** Who the person is among the accounts here, where the provider says so. */
  readonly audienceSubject: string | null;
};

/** An assertion that gives nothing. @see RFC 7521 §4.1.1 */
export const refuseAssertion = (description: string, reason: string = description): OAuthError =>
  new OAuthError('invalid_grant', { description, reason: `identity assertion: ${reason}` });

const told = {
  malformed: 'assertion is no JWT',
  algorithm_not_allowed: `assertion has to be signed with one of ${verifiableAlgs.join(', ')}`,
  critical_header: 'assertion has a critical header that this server does not understand',
  wrong_type: 'assertion has to be an ID-JAG: a JWT with the typ oauth-id-jag+jwt',
  no_matching_key: 'assertion is not signed by its issuer',
  bad_signature: 'assertion is not signed by its issuer',
  wrong_issuer: 'assertion is not signed by its issuer',
  wrong_audience: 'aud of the assertion has to be the issuer of this platform, and nobody else',
  no_expiry: 'assertion has no exp',
  expired: 'assertion has expired: ask the identity provider for another',
  not_yet_valid: 'assertion is not valid yet: compare the clocks',
} as const satisfies Record<JwtRefusal, string>;

const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((each) => typeof each === 'string');

/**
 * Claims that limit what the assertion is good for in ways that this server cannot keep to. Taken as if they were not there,
 * they would give more than the provider said.
 */
const unkept = ['authorization_details', 'act', 'may_act'] as const;

const keyOf = (cnf: unknown): string | null => {
  if (cnf === undefined) return null;
  const members = typeof cnf === 'object' && cnf !== null && !Array.isArray(cnf) ? Object.entries(cnf) : [];
  const [only] = members;
  // RFC 7800 §3.1: a confirmation that is not understood is not one that holds.
  if (members.length !== 1 || only?.[0] !== 'jkt' || typeof only[1] !== 'string')
    throw refuseAssertion('cnf of the assertion has to be a jkt and nothing else: it is shown with a DPoP proof');
  return only[1];
};

const resourcesOf = (resource: unknown): readonly string[] | null => {
  if (resource === undefined) return null;
  const list = typeof resource === 'string' ? [resource] : resource;
  if (!isTexts(list) || list.length === 0 || list.length > 100)
    throw refuseAssertion('resource of the assertion has to be a URI, or a list of them');
  return list;
};

const textOrNull = (claims: JwtClaims, name: string): string | null => {
  const value = claims[name];
  if (value === undefined) return null;
  if (typeof value !== 'string') throw refuseAssertion(`${name} of the assertion has to be a text`);
  return value;
};

type Against = { readonly issuer: string; readonly platform: string; readonly clientId: string; readonly now: number };

/** What is signed, judged against who shows it, where and when. @throws OAuthError `invalid_grant` */
const checkClaims = (claims: JwtClaims, { platform, clientId, now }: Against): ProvedAssertion => {
  const seconds = Math.floor(now / 1000);
  const { iat, exp, auth_time: authTime, amr } = claims;
  if (claims['client_id'] !== clientId)
    throw refuseAssertion('client_id of the assertion is another than that of the client which shows it');
  if (typeof iat !== 'number' || iat > seconds + toleranceSeconds)
    throw refuseAssertion('iat of the assertion is missing or in the future: compare the clocks');
  if (typeof exp !== 'number' || exp > seconds + longestSeconds + toleranceSeconds)
    throw refuseAssertion(`exp of the assertion is more than ${longestSeconds} seconds away`);
  const kept = unkept.find((name) => claims[name] !== undefined);
  if (kept !== undefined) throw refuseAssertion(`assertion says ${kept}, which this server cannot keep to`);
  const tenant = textOrNull(claims, 'aud_tenant');
  if (tenant !== null && tenant !== platform) throw refuseAssertion('aud_tenant of the assertion is not this platform');
  return {
    scope: textOrNull(claims, 'scope'),
    resources: resourcesOf(claims['resource']),
    jkt: keyOf(claims['cnf']),
    authTime: typeof authTime === 'number' && Number.isSafeInteger(authTime) ? authTime : null,
    amr: isTexts(amr) && amr.length <= 16 && amr.every((method) => method.length <= 32) ? amr : null,
    audienceSubject: textOrNull(claims, 'aud_sub'),
  };
};

/**
 * Proves that a trusted provider has signed this assertion for us, for this client and for now.
 *
 * That it is used for the first time is the log's to say, and is not asked here.
 *
 * @throws OAuthError `invalid_grant`; `temporarily_unavailable` where the provider's keys cannot be had
 * @see RFC 7523 §3; draft-ietf-oauth-identity-assertion-authz-grant §4.4.1
 */
export const verifyAssertion = async (
  deps: Pick<Deps, 'remoteKeys'>,
  claimed: ClaimedAssertion,
  trusted: TrustedIssuer,
  against: Against,
): Promise<ProvedAssertion> => {
  // An operator names the provider, so it may be wherever the egress lets us go.
  const verified = await deps.remoteKeys.verify(trusted.jwksUri, { allowLoopback: true }, (keys) =>
    verifyJwt({
      jwt: claimed.jwt,
      keys,
      typ: 'oauth-id-jag+jwt',
      algs: verifiableAlgs,
      issuer: trusted.issuer,
      audience: against.issuer,
      soleAudience: true,
      now: against.now,
      toleranceSeconds,
    }),
  );
  switch (verified.outcome) {
    case 'unavailable':
      throw new OAuthError('temporarily_unavailable', {
        description: 'The keys of the identity provider cannot be had just now; try again in a moment',
        reason: `the keys of ${trusted.issuer} cannot be had: ${verified.why}`,
      });
    case 'refused':
      throw refuseAssertion(told[verified.reason], verified.reason);
    case 'verified':
      return checkClaims(verified.claims, against);
  }
};
