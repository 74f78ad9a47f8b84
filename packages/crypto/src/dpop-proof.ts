import { hash } from 'node:crypto';
import { compactVerify, errors } from 'jose';
import { decodeBase64Url } from './base64url.ts';
import { readDpopKey } from './dpop-key.ts';
import { normalTarget } from './dpop-target.ts';
import { type VerifiableAlg, verifiableAlgs } from './verify-jwt.ts';

/** Why a proof of possession was refused. For logs; what the sender is told is the caller's choice. */
export type DpopRefusal =
  | 'malformed'
  | 'wrong_type'
  | 'algorithm_not_allowed'
  | 'critical_header'
  | 'unusable_key'
  | 'bad_signature'
  | 'no_id'
  | 'wrong_method'
  | 'wrong_target'
  | 'no_time'
  | 'wrong_token';

/** A proof that is good for its request, save that nobody has looked yet whether its time is now and its id unused. */
export type DpopProof = {
  /** RFC 7638 thumbprint of the key. */
  readonly jkt: string;
  /** 32 bytes that stand for this proof: of its key and its `jti`. Good once. */
  readonly id: Uint8Array;
  /** The seconds since the epoch between which it is good, both included. */
  readonly from: number;
  readonly until: number;
};

export type DpopVerification =
  | ({ readonly outcome: 'verified' } & DpopProof)
  | { readonly outcome: 'refused'; readonly reason: DpopRefusal };

/** How far the `iat` of a proof may be from now, either way, in seconds. */
const tolerance = 60;
const maxLength = 8_192;
const maxIdLength = 256;
/** Seconds until the year 9999: no time of a proof, and nothing that a database could not hold, lies beyond. */
const lastSecond = 253_402_300_799;

const refused = (reason: DpopRefusal): DpopVerification => ({ outcome: 'refused', reason });

const parseObject = (part: string | undefined): Readonly<Record<string, unknown>> | null => {
  const bytes = part === undefined ? null : decodeBase64Url(part);
  if (bytes === null) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    // A JSON object has text keys and any values; arrays and null are told apart.
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
};

const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= lastSecond;
const isTimeOrAbsent = (value: unknown): value is number | undefined => value === undefined || isTime(value);

const isSigned = async (proof: string, key: Parameters<typeof compactVerify>[1], alg: VerifiableAlg): Promise<boolean> => {
  try {
    await compactVerify(proof, key, { algorithms: alg === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [alg] });
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return false;
    throw error;
  }
};

/**
 * Verifies a proof of possession for one request (RFC 9449 §4.3), all but what changes with time: the caller compares `from` and
 * `until` with its own clock and takes `id` once, and only then has the sender shown the key.
 *
 * @param input.proof the value of the one `DPoP` header; at most 8,192 characters are read.
 * @param input.method the method of the request, as it came.
 * @param input.targets every URL that the sender may know the request's by; query and fragment are passed over.
 * @param input.accessToken the token that came with it, which the proof has to name; null at a token endpoint.
 * @see RFC 9449 §4.2, §4.3, §11.1
 */
export const verifyDpopProof = async (input: {
  readonly proof: string;
  readonly method: string;
  readonly targets: readonly string[];
  readonly accessToken: string | null;
}): Promise<DpopVerification> => {
  const { proof, method, targets, accessToken } = input;
  if (proof.length > maxLength) return refused('malformed');
  const parts = proof.split('.');
  const header = parseObject(parts[0]);
  const claims = parseObject(parts[1]);
  if (parts.length !== 3 || header === null || claims === null || decodeBase64Url(parts[2] ?? '') === null) return refused('malformed');
  if (typeof header['typ'] !== 'string' || header['typ'].toLowerCase() !== 'dpop+jwt') return refused('wrong_type');
  // RFC 9864 names the curve of `EdDSA`, of which we take but one; clients send either.
  const alg = verifiableAlgs.find((allowed) => allowed === (header['alg'] === 'Ed25519' ? 'EdDSA' : header['alg']));
  if (alg === undefined) return refused('algorithm_not_allowed');
  // We understand no extension that a header could call critical (RFC 7515 §4.1.11).
  if (header['crit'] !== undefined || header['b64'] !== undefined) return refused('critical_header');

  // What costs nothing to see comes before the signature.
  const { jti, htm, htu, iat, nbf, exp, ath } = claims;
  if (typeof jti !== 'string' || jti === '' || jti.length > maxIdLength) return refused('no_id');
  if (htm !== method) return refused('wrong_method');
  const target = typeof htu === 'string' ? normalTarget(htu) : null;
  if (target === null || !targets.some((each) => normalTarget(each) === target)) return refused('wrong_target');
  if (!isTime(iat) || !isTimeOrAbsent(nbf) || !isTimeOrAbsent(exp)) return refused('no_time');
  if (accessToken !== null && ath !== hash('sha256', accessToken, 'base64url')) return refused('wrong_token');

  const bound = await readDpopKey(header['jwk'], alg);
  if (bound === null) return refused('unusable_key');
  if (!(await isSigned(proof, bound.key, alg))) return refused('bad_signature');
  return {
    outcome: 'verified',
    jkt: bound.jkt,
    id: hash('sha256', `${bound.jkt} ${jti}`, 'buffer'),
    // A proof need not have them, but what it says of itself holds (RFC 7519 §4.1.4, §4.1.5).
    from: Math.max(iat, nbf ?? 0) - tolerance,
    until: Math.min(iat + tolerance, exp ?? lastSecond),
  };
};
