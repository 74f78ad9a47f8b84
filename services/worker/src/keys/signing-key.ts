import { importSigningKey, type Sealer, type SigningAlg, type SigningKey } from '@grantlog/crypto';
import { activeKey, keyRingDecider, keyRingStream } from '@grantlog/domain';
import { type EventLog, fold, type PlatformId } from '@grantlog/eventsourcing';
import { openCredential } from '@grantlog/provisioning';

/** What a platform's keys are read with. */
export type KeyReading = { readonly log: EventLog; readonly sealer: Sealer };

/** A platform's active key of an algorithm, whose public half its JWKS shows, as the log has it now; null where it has none. */
export const openSigningKey = async (
  { log, sealer }: KeyReading,
  { platform, alg }: { readonly platform: PlatformId; readonly alg: SigningAlg },
): Promise<SigningKey | null> => {
  const ring = (await log.load(platform, [{ streamId: keyRingStream, withSecrets: true }])).stream(keyRingStream);
  const key = activeKey(fold(keyRingDecider, ring), { use: 'sign', alg });
  if (key?.use !== 'sign') return null;
  const place = { platform, owner: keyRingStream, id: key.credentialId, credentials: ring.credentials };
  const pkcs8 = openCredential(sealer, { ...place, kind: 'signing_key' });
  return importSigningKey({ alg: key.alg, kid: key.keyId, pkcs8 });
};
