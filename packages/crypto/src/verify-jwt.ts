import { type CryptoKey, compactVerify, importJWK, type JWK } from 'jose';
import { decodeBase64Url } from './base64url.ts';
import type { JwtClaims } from './sign-jwt.ts';
import { type PublicJwk, type SigningAlg, signingAlgs } from './signing-keys.ts';

/** Why a JWT was refused. For logs; what the sender is told is the caller's choice. */
export type JwtRefusal =
  | 'malformed'
  | 'algorithm_not_allowed'
  | 'critical_header'
  | 'wrong_type'
  | 'no_matching_key'
  | 'bad_signature'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'no_expiry'
  | 'expired'
  | 'not_yet_valid';

export type JwtVerification =
  | { readonly outcome: 'verified'; readonly claims: JwtClaims; readonly kid: string | null }
  | { readonly outcome: 'refused'; readonly reason: JwtRefusal };

type Expectations = {
  /** The media type without `application/`; compared without regard to case. A JWT that states none is refused. */
  readonly typ: string;
  readonly issuer: string;
  /** One that `aud` must name. Left out, `aud` is not looked at. */
  readonly audience?: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Accept an expired JWT, or one without expiry: an `id_token_hint`. `nbf` is checked all the same. */
  readonly ignoreExpiry?: boolean;
  /** How far the sender's clock may be off, default 0. */
  readonly toleranceSeconds?: number;
};

const keyTypeOf = { RS256: 'RSA', ES256: 'EC', EdDSA: 'OKP' } as const satisfies Record<SigningAlg, string>;

const parseObject = (part: string | undefined): Readonly<Record<string, unknown>> | null => {
  const bytes = part === undefined ? null : decodeBase64Url(part);
  if (bytes === null) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    // A JSON object has text keys and any values; arrays and null are told apart above.
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
};

const mediaType = (typ: string): string => typ.toLowerCase().replace(/^application\//, '');

/** The key that a header's `kid` names; without a `kid`, the only one of the algorithm (OpenID Connect Core §10.1). */
const selectKey = (keys: readonly PublicJwk[], alg: SigningAlg, kid: unknown): PublicJwk | null => {
  const usable = keys.filter(
    (key) => key.kty === keyTypeOf[alg] && (key.alg === undefined || key.alg === alg) && (key.use === undefined || key.use === 'sig'),
  );
  const named = kid === undefined ? usable : usable.filter((key) => key.kid === kid);
  const [only, ...others] = named;
  return only !== undefined && others.length === 0 ? only : null;
};

/** The key alone, without what else its JWK says; null when it is none. */
const importPublicKey = async ({ kty, crv, x, y, n, e }: PublicJwk, alg: SigningAlg): Promise<CryptoKey | null> => {
  try {
    // Private members are left behind, and jose's JWK type wants absent members rather than undefined ones.
    const members = Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined));
    const key = await importJWK(members as JWK, alg);
    return key instanceof Uint8Array ? null : key;
  } catch {
    return null;
  }
};

const isSignedBy = async (key: CryptoKey, jwt: string, alg: SigningAlg): Promise<boolean> => {
  try {
    await compactVerify(jwt, key, { algorithms: [alg] });
    return true;
  } catch {
    return false;
  }
};

const checkClaims = (claims: JwtClaims, expected: Expectations): JwtRefusal | null => {
  const { iss, aud, exp, nbf } = claims;
  const now = Math.floor(expected.now / 1000);
  const tolerance = expected.toleranceSeconds ?? 0;
  if (iss !== expected.issuer) return 'wrong_issuer';
  if (expected.audience !== undefined && !(Array.isArray(aud) ? aud : [aud]).includes(expected.audience)) return 'wrong_audience';
  if (exp !== undefined && typeof exp !== 'number') return 'malformed';
  if (nbf !== undefined && typeof nbf !== 'number') return 'malformed';
  if (nbf !== undefined && nbf > now + tolerance) return 'not_yet_valid';
  if (expected.ignoreExpiry === true) return null;
  if (exp === undefined) return 'no_expiry';
  return exp <= now - tolerance ? 'expired' : null;
};

const refused = (reason: JwtRefusal): JwtVerification => ({ outcome: 'refused', reason });

/**
 * Verifies a compact JWT against a closed set of keys. A key that the JWT itself brings or points to (`jwk`, `jku`, `x5c`, `x5u`)
 * is never looked at; algorithms are those of {@link signingAlgs} and must be the key's own.
 *
 * @see RFC 8725
 */
export const verifyJwt = async (
  input: Expectations & { readonly jwt: string; readonly keys: readonly PublicJwk[] },
): Promise<JwtVerification> => {
  const parts = input.jwt.split('.');
  const header = parseObject(parts[0]);
  const claims = parseObject(parts[1]);
  if (parts.length !== 3 || header === null || claims === null || decodeBase64Url(parts[2] ?? '') === null) return refused('malformed');
  const alg = signingAlgs.find((allowed) => allowed === header.alg);
  if (alg === undefined) return refused('algorithm_not_allowed');
  // We understand no extension that a header could call critical (RFC 7515 §4.1.11).
  if (header.crit !== undefined || header.b64 !== undefined) return refused('critical_header');
  if (typeof header.typ !== 'string' || mediaType(header.typ) !== mediaType(input.typ)) return refused('wrong_type');
  const jwk = selectKey(input.keys, alg, header.kid);
  const key = jwk === null ? null : await importPublicKey(jwk, alg);
  if (key === null) return refused('no_matching_key');
  if (!(await isSignedBy(key, input.jwt, alg))) return refused('bad_signature');
  const reason = checkClaims(claims, input);
  return reason === null ? { outcome: 'verified', claims, kid: jwk?.kid ?? null } : refused(reason);
};
