import { type CryptoKey, compactVerify, importJWK, type JWK } from 'jose';
import { decodeBase64Url } from './base64url.ts';
import type { JwtClaims } from './sign-jwt.ts';
import { type PublicJwk, signingAlgs } from './signing-keys.ts';

/** What JWTs of others may be signed with: our own algorithms, and PS256, which FAPI 2.0 asks of RSA keys. */
export const verifiableAlgs = [...signingAlgs, 'PS256'] as const;
export type VerifiableAlg = (typeof verifiableAlgs)[number];

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
  /** The media type without `application/`, or several to choose from; compared without regard to case. A JWT that states none is refused. */
  readonly typ: string | readonly string[];
  /** Accept a JWT that states no type as well: many clients' assertions do not. */
  readonly mayOmitTyp?: boolean;
  /** The algorithms that are taken; default: those that we sign with ourselves. */
  readonly algs?: readonly VerifiableAlg[];
  readonly issuer: string;
  /** One that `aud` must name, or several of which it must name one. Left out, `aud` is not looked at. */
  readonly audience?: string | readonly string[];
  /** Refuse a JWT that is meant for somebody else as well: whoever else gets it could show it to us. */
  readonly soleAudience?: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Accept an expired JWT, or one without expiry: an `id_token_hint`. `nbf` is checked all the same. */
  readonly ignoreExpiry?: boolean;
  /** How far the sender's clock may be off, default 0. */
  readonly toleranceSeconds?: number;
};

const keyTypeOf = { RS256: 'RSA', PS256: 'RSA', ES256: 'EC', EdDSA: 'OKP' } as const satisfies Record<VerifiableAlg, string>;

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

/** RFC 9864 names the curve of `EdDSA`, of which we take but one; clients send either. */
const canonicalAlg = (alg: unknown): unknown => (alg === 'Ed25519' ? 'EdDSA' : alg);

/** The key that a header's `kid` names; without a `kid`, the only one of the algorithm (OpenID Connect Core §10.1). */
const selectKey = (keys: readonly PublicJwk[], alg: VerifiableAlg, kid: unknown): PublicJwk | null => {
  const usable = keys.filter(
    (key) =>
      key.kty === keyTypeOf[alg] &&
      (key.alg === undefined || canonicalAlg(key.alg) === alg) &&
      (key.use === undefined || key.use === 'sig'),
  );
  const named = kid === undefined ? usable : usable.filter((key) => key.kid === kid);
  const [only, ...others] = named;
  return only !== undefined && others.length === 0 ? only : null;
};

/** Whether a signature could ever be verified with this key: another kind of key, or a short one, is of no use to whoever registers it. */
export const canVerify = ({ kty, crv, use, n, x, y }: PublicJwk): boolean => {
  if (use !== undefined && use !== 'sig') return false;
  switch (kty) {
    case 'RSA':
      return Buffer.from(n ?? '', 'base64url').byteLength >= 256;
    case 'EC':
      return crv === 'P-256' && x !== undefined && y !== undefined;
    case 'OKP':
      return crv === 'Ed25519' && x !== undefined;
    default:
      return false;
  }
};

/** The key alone, without what else its JWK says; null when it is none. */
const importPublicKey = async ({ kty, crv, x, y, n, e }: PublicJwk, alg: VerifiableAlg): Promise<CryptoKey | null> => {
  try {
    // Private members are left behind, and jose's JWK type wants absent members rather than undefined ones.
    const members = Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined));
    const key = await importJWK(members as JWK, alg);
    return key instanceof Uint8Array ? null : key;
  } catch {
    return null;
  }
};

const isSignedBy = async (key: CryptoKey, jwt: string, alg: VerifiableAlg): Promise<boolean> => {
  try {
    await compactVerify(jwt, key, { algorithms: alg === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [alg] });
    return true;
  } catch {
    return false;
  }
};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

const isFor = (aud: unknown, { audience, soleAudience = false }: Expectations): boolean => {
  if (audience === undefined) return true;
  const named = listOf(aud);
  return named.some((each) => listOf(audience).includes(each)) && (!soleAudience || named.length === 1);
};

const isOfType = (typ: unknown, { typ: expected, mayOmitTyp = false }: Expectations): boolean => {
  if (typ === undefined) return mayOmitTyp;
  return typeof typ === 'string' && [expected].flat().some((each) => mediaType(each) === mediaType(typ));
};

const checkClaims = (claims: JwtClaims, expected: Expectations): JwtRefusal | null => {
  const { iss, aud, exp, nbf } = claims;
  const now = Math.floor(expected.now / 1000);
  const tolerance = expected.toleranceSeconds ?? 0;
  if (iss !== expected.issuer) return 'wrong_issuer';
  if (!isFor(aud, expected)) return 'wrong_audience';
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
 * is never looked at; the algorithm must be among those expected, and the key's own.
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
  const alg = (input.algs ?? signingAlgs).find((allowed) => allowed === canonicalAlg(header.alg));
  if (alg === undefined) return refused('algorithm_not_allowed');
  // We understand no extension that a header could call critical (RFC 7515 §4.1.11).
  if (header.crit !== undefined || header.b64 !== undefined) return refused('critical_header');
  if (!isOfType(header.typ, input)) return refused('wrong_type');
  const jwk = selectKey(input.keys, alg, header.kid);
  const key = jwk === null ? null : await importPublicKey(jwk, alg);
  if (key === null) return refused('no_matching_key');
  if (!(await isSignedBy(key, input.jwt, alg))) return refused('bad_signature');
  const reason = checkClaims(claims, input);
  return reason === null ? { outcome: 'verified', claims, kid: jwk?.kid ?? null } : refused(reason);
};
