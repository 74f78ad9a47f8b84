import type { Sealer } from '@grantlog/crypto';
import { generateSigningKey, randomKey } from '@grantlog/crypto';
import type { KeyDescription, KeyRingEvent, SigningAlgorithm } from '@grantlog/domain';
import { keyRingStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { NewCredential } from '@grantlog/postgres';
import { sealCredential } from './sealed-credentials.ts';

export type NewKey = { readonly description: KeyDescription; readonly credential: NewCredential };

/** A signing key, its private half sealed. */
export const newSigningKey = async (sealer: Sealer, platform: PlatformId, alg: SigningAlgorithm): Promise<NewKey> => {
  const key = await generateSigningKey(alg);
  const credential = sealCredential(sealer, { platform, owner: keyRingStream, kind: 'signing_key', bytes: key.pkcs8 });
  return {
    credential,
    // A public JWK is a flat record of strings.
    description: {
      use: 'sign',
      keyId: key.kid,
      alg,
      credentialId: credential.id,
      publicJwk: { ...key.publicJwk } as Record<string, string>,
    },
  };
};

/** A key for the MACs of opaque tokens. */
export const newTokenKey = (sealer: Sealer, platform: PlatformId, keyId: number): NewKey => {
  const credential = sealCredential(sealer, { platform, owner: keyRingStream, kind: 'token_key', bytes: randomKey() });
  return { credential, description: { use: 'token', keyId, alg: 'HS256', credentialId: credential.id, publicJwk: null } };
};

/** The key for checkpoints of the log's tree. */
export const newLogKey = async (sealer: Sealer, platform: PlatformId): Promise<NewKey> => {
  const key = await generateSigningKey('EdDSA');
  const credential = sealCredential(sealer, { platform, owner: keyRingStream, kind: 'log_key', bytes: key.pkcs8 });
  const publicJwk = { ...key.publicJwk } as Record<string, string>;
  return { credential, description: { use: 'log', keyId: key.kid, alg: 'EdDSA', credentialId: credential.id, publicJwk } };
};

const newNameKey = (sealer: Sealer, platform: PlatformId): NewKey => {
  const credential = sealCredential(sealer, { platform, owner: keyRingStream, kind: 'name_key', bytes: randomKey() });
  return { credential, description: { use: 'name', keyId: 'name', alg: 'HS256', credentialId: credential.id, publicJwk: null } };
};

/** The keys that a platform begins with: one for names, one for its log, one for tokens, one of each signing algorithm, all active. */
export const firstKeys = async (sealer: Sealer, platform: PlatformId): Promise<readonly NewKey[]> => [
  newNameKey(sealer, platform),
  newTokenKey(sealer, platform, 1),
  await newLogKey(sealer, platform),
  ...(await Promise.all((['RS256', 'ES256', 'EdDSA'] as const).map((alg) => newSigningKey(sealer, platform, alg)))),
];

/** The events that put first keys on the ring, each at once active: nothing can have been made with another before. */
export const ringEvents = (keys: readonly NewKey[]): readonly KeyRingEvent[] =>
  keys.flatMap(({ description }): readonly KeyRingEvent[] => [
    { type: 'signing_key.created', data: description },
    {
      type: 'signing_key.activated',
      data: { keyId: description.keyId, use: description.use, alg: description.alg, previousVerifiesUntil: null },
    },
  ]);
