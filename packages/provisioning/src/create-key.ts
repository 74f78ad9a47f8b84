import type { KeyRingRefusal, SigningAlgorithm } from '@grantlog/domain';
import { keyRingDecider, keyRingStream, nextTokenKeyId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { change } from './change.ts';
import type { KeyName } from './key-name.ts';
import { newSigningKey, newTokenKey } from './platform-keys.ts';
import type { By, Provisioning } from './provisioning.ts';

export type KeyCreated = { readonly key: KeyName; readonly position: number } | { readonly refusal: 'unknown_platform' | KeyRingRefusal };

/**
 * Puts a new key on a platform's ring: published at once, and making nothing until it is activated.
 *
 * @param task.alg `HS256` for a key of opaque tokens.
 */
export const createKey = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly alg: SigningAlgorithm | 'HS256' },
): Promise<KeyCreated> => {
  const { platform, alg } = task;
  if ((await context.directory.open(platform)) === null) return { refusal: 'unknown_platform' };
  const before = fold(keyRingDecider, (await context.log.load(platform, [{ streamId: keyRingStream }])).stream(keyRingStream));
  const tokenKeyId = nextTokenKeyId(before);
  if (alg === 'HS256' && tokenKeyId === null) return { refusal: 'key_id_out_of_range' };
  const { credential, description } =
    alg === 'HS256' ? newTokenKey(context.sealer, platform, tokenKeyId ?? 0) : await newSigningKey(context.sealer, platform, alg);
  await insertCredentials(context.pool, [credential]);
  const changed = await change(context, by, {
    platform,
    requests: [{ streamId: keyRingStream }],
    decide: (loaded) => {
      const { events, refusal } = keyRingDecider.decide(
        { type: 'createKey', key: description },
        fold(keyRingDecider, loaded.stream(keyRingStream)),
      );
      return refusal === undefined ? { writes: [{ streamId: keyRingStream, events }] } : { refusal };
    },
  });
  if ('refusal' in changed) return changed;
  const key: KeyName =
    description.use === 'token' ? { use: 'token', keyId: description.keyId } : { use: 'sign', keyId: String(description.keyId) };
  return { key, position: changed.position };
};
