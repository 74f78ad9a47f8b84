import { importSigningKey, type SigningKey } from '@grantlog/crypto';
import { activeKey, keyRingDecider, keyRingStream } from '@grantlog/domain';
import { fold, type Loaded, type PlatformId } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { change } from './change.ts';
import { newLogKey, ringEvents } from './platform-keys.ts';
import type { Provisioning } from './provisioning.ts';
import { openCredential } from './sealed-credentials.ts';

const by = { actor: { kind: 'system', id: 'audit-tree' }, correlationId: 'audit-tree' } as const;

const ringOf = (loaded: Loaded) => fold(keyRingDecider, loaded.stream(keyRingStream));

/**
 * The key that the checkpoints of a platform's tree are signed with. A platform of before there were trees gets it when it is first
 * asked for: of several that ask at once the log takes one, and all get that.
 */
export const openLogKey = async (context: Pick<Provisioning, 'log' | 'pool' | 'sealer'>, platform: PlatformId): Promise<SigningKey> => {
  for (;;) {
    const loaded = await context.log.load(platform, [{ streamId: keyRingStream, withSecrets: true }]);
    const key = activeKey(ringOf(loaded), { use: 'log', alg: 'EdDSA' });
    if (key?.use === 'log') {
      const { credentials } = loaded.stream(keyRingStream);
      const place = { platform, owner: keyRingStream, id: key.credentialId, credentials };
      return importSigningKey({ alg: 'EdDSA', kid: key.keyId, pkcs8: openCredential(context.sealer, { ...place, kind: 'log_key' }) });
    }
    const made = await newLogKey(context.sealer, platform);
    await insertCredentials(context.pool, [made.credential]);
    await change(context, by, {
      platform,
      requests: [{ streamId: keyRingStream }],
      decide: (now) => {
        const isThere = activeKey(ringOf(now), { use: 'log', alg: 'EdDSA' }) !== undefined;
        return { writes: isThere ? [] : [{ streamId: keyRingStream, events: ringEvents([made]) }] };
      },
    });
  }
};
