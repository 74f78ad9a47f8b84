import type { PublicJwk, Sealer, SigningKey } from '@grantlog/crypto';
import { importSigningKey } from '@grantlog/crypto';
import type { KeyRingState, RingKey, SigningAlgorithm } from '@grantlog/domain';
import { activeKey, keyRingStream } from '@grantlog/domain';
import type { EventLog, PlatformId } from '@grantlog/eventsourcing';
import { openCredential } from '@grantlog/provisioning';

/** The keys of one platform as its ring stood at a load. */
export type PlatformKeys = {
  /** The key that new opaque tokens are made with. */
  readonly mintingTokenKeyId: number;
  /** A token key that still verifies, or null for one the ring does not hold. */
  readonly tokenKey: (keyId: number) => Uint8Array | null;
  readonly signingKey: (alg: SigningAlgorithm) => SigningKey;
  /** Every key that verifies, pending ones included so that caches learn of them in time. */
  readonly publicJwks: readonly PublicJwk[];
};

export type KeyStore = {
  /** Opens what a folded ring names. Which keys count is the ring's word; only their bytes, which never change, are kept here. */
  readonly of: (platform: PlatformId, ring: KeyRingState) => Promise<PlatformKeys>;
};

type Material = { readonly use: 'token'; readonly bytes: Uint8Array } | { readonly use: 'sign'; readonly key: SigningKey };

/** Opens keys once and keeps them by the id of their credential: a credential's bytes never change. */
export const createKeyStore = ({ log, sealer }: { readonly log: EventLog; readonly sealer: Sealer }): KeyStore => {
  const opened = new Map<string, Material>();
  const nameOf = (platform: PlatformId, credentialId: string): string => `${platform} ${credentialId}`;

  const openMissing = async (platform: PlatformId, missing: readonly RingKey[]): Promise<void> => {
    const ring = (await log.load(platform, [{ streamId: keyRingStream, withSecrets: true }])).stream(keyRingStream);
    for (const key of missing) {
      const place = { platform, owner: keyRingStream, id: key.credentialId, credentials: ring.credentials };
      if (key.use === 'token') {
        opened.set(nameOf(platform, key.credentialId), { use: 'token', bytes: openCredential(sealer, { ...place, kind: 'token_key' }) });
      }
      if (key.use === 'sign') {
        const pkcs8 = openCredential(sealer, { ...place, kind: 'signing_key' });
        opened.set(nameOf(platform, key.credentialId), { use: 'sign', key: importSigningKey({ alg: key.alg, kid: key.keyId, pkcs8 }) });
      }
    }
  };

  return {
    of: async (platform, ring) => {
      if (ring.status === 'none') throw new Error(`platform ${platform} has no keys`);
      const usable = ring.keys.filter((key) => key.use === 'token' || key.use === 'sign');
      const missing = usable.filter((key) => !opened.has(nameOf(platform, key.credentialId)));
      if (missing.length > 0) await openMissing(platform, missing);
      const minting = activeKey(ring, { use: 'token', alg: 'HS256' });
      if (minting?.use !== 'token') throw new Error(`platform ${platform} has no active token key`);
      return {
        mintingTokenKeyId: minting.keyId,
        tokenKey: (keyId) => {
          const key = usable.find((held) => held.use === 'token' && held.keyId === keyId);
          const material = key === undefined ? undefined : opened.get(nameOf(platform, key.credentialId));
          return material?.use === 'token' ? material.bytes : null;
        },
        signingKey: (alg) => {
          const key = activeKey(ring, { use: 'sign', alg });
          const material = key === undefined ? undefined : opened.get(nameOf(platform, key.credentialId));
          if (material?.use !== 'sign') throw new Error(`platform ${platform} has no active ${alg} key`);
          return material.key;
        },
        // The ring holds each public JWK as it was made by this project's crypto.
        publicJwks: usable.flatMap((key) => (key.use === 'sign' ? [key.publicJwk as unknown as PublicJwk] : [])),
      };
    },
  };
};
