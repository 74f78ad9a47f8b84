import { createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { VerifiableAlg } from './verify-jwt.ts';

/** A public key that came with its proof, and the RFC 7638 thumbprint that tokens are bound to. */
export type DpopKey = { readonly key: KeyObject; readonly jkt: string };

const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;
const publicMembers = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const;

/** An RSA key above this costs more to verify than anybody gains by it. */
const maxModulusBits = 4_096;

const isStrong = (alg: VerifiableAlg, { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean => {
  switch (alg) {
    case 'RS256':
    case 'PS256': {
      const { modulusLength = 0, publicExponent = 0n } = details ?? {};
      // RFC 7518 §3.3: 2048 bits or more. With an exponent of 1 everything is a signature.
      return type === 'rsa' && modulusLength >= 2_048 && modulusLength <= maxModulusBits && publicExponent >= 3n;
    }
    case 'ES256':
      return type === 'ec' && details?.namedCurve === 'prime256v1';
    case 'EdDSA':
      return type === 'ed25519';
  }
};

/**
 * Reads the `jwk` of a proof's header. Null for what is no public key, says anything of its private half, or is not a strong
 * key of the algorithm.
 *
 * The thumbprint is that of the key as this process spells it, so one key has one, however its JWK was written.
 *
 * @see RFC 9449 §4.3; RFC 7638
 */
export const readDpopKey = async (jwk: unknown, alg: VerifiableAlg): Promise<DpopKey | null> => {
  if (typeof jwk !== 'object' || jwk === null || secretMembers.some((member) => member in jwk)) return null;
  const given: Readonly<Record<string, unknown>> = { ...jwk };
  const members = publicMembers.flatMap((name) => (typeof given[name] === 'string' ? [[name, given[name]] as const] : []));
  try {
    const key = createPublicKey({ key: Object.fromEntries(members), format: 'jwk' });
    if (!isStrong(alg, key)) return null;
    // Node types every member of an exported JWK as optional; that of a public key has all that its kind needs.
    return { key, jkt: await calculateJwkThumbprint(key.export({ format: 'jwk' }) as JWK) };
  } catch {
    return null;
  }
};
