/** What an assertion says before anything of it is proved: whose keys to prove it with, and which names it would use. */
export type ClaimedAssertion = {
  readonly jwt: string;
  readonly issuer: string;
  /** The person among the issuer's, in one spelling: an issuer of many tenants may give one `sub` twice. */
  readonly subject: string;
  readonly jti: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** Null also where the issuer says anything else of it than that it has seen it answer. */
  readonly email: string | null;
  readonly displayName: string | null;
};

const compact = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/;

const textOf = (value: unknown, max: number): string | null =>
  typeof value === 'string' && value !== '' && value.length <= max && value.isWellFormed() && !value.includes('\0') ? value : null;

const claimsOf = (jwt: string): Readonly<Record<string, unknown>> | null => {
  const payload = compact.exec(jwt)?.[1];
  if (payload === undefined) return null;
  try {
    const claims: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.fromBase64(payload, { alphabet: 'base64url' })),
    );
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
};

/** An issuer need not say it of the mailboxes that it gives out itself. Some write it as a text; whatever is not a yes is a no. */
const mayBeVerified = (said: unknown): boolean => said === undefined || said === true || said === 'true';

/**
 * Reads an identity assertion without proving it; null where it is no JWT, or lacks what every one has.
 *
 * @see RFC 7523 §3; draft-ietf-oauth-identity-assertion-authz-grant
 */
export const readAssertion = (jwt: string): ClaimedAssertion | null => {
  const claims = claimsOf(jwt);
  if (claims === null) return null;
  const [issuer, sub, jti] = [textOf(claims['iss'], 2_048), textOf(claims['sub'], 255), textOf(claims['jti'], 255)];
  const { exp, tenant = null } = claims;
  const tenantName = tenant === null ? null : textOf(tenant, 255);
  if (issuer === null || sub === null || jti === null || (tenant !== null && tenantName === null)) return null;
  // A name's month is computed from it, so it is a time that dates can hold.
  if (typeof exp !== 'number' || !Number.isSafeInteger(exp) || exp < 0 || exp > 99_999_999_999) return null;
  return {
    jwt,
    issuer,
    subject: JSON.stringify([tenantName, sub]),
    jti,
    expiresAtMs: exp * 1000,
    email: mayBeVerified(claims['email_verified']) ? textOf(claims['email'], 320) : null,
    displayName: textOf(claims['name'], 200),
  };
};
