import { randomUuid } from '@grantlog/crypto';
import type { PlatformDocument, PlatformRefusal } from '@grantlog/domain';
import { keyRingDecider, keyRingStream, platformDecider, platformStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials, openLog } from '@grantlog/postgres';
import { change } from './change.ts';
import { firstKeys, ringEvents } from './platform-keys.ts';
import type { By, Provisioning } from './provisioning.ts';

export type PlatformConfigured =
  /** `position` as of every change: of its last event, or the log's head where nothing was recorded. */
  | { readonly kind: 'created' | 'configured' | 'unchanged'; readonly position: number }
  | { readonly kind: 'refused'; readonly refusal: PlatformRefusal };

/**
 * Makes a platform, or brings an existing one to the document: `platform.configured` and, for a new one, its first
 * keys, in one commit. May be called by many at once and again later with the same document.
 */
export const configurePlatform = async (context: Provisioning, by: By, document: PlatformDocument): Promise<PlatformConfigured> => {
  // The document's parser has checked the name.
  const platform = document.name as PlatformId;
  await openLog(context.pool, { platform, lineage: randomUuid() });
  const before = await context.log.load(platform, [{ streamId: keyRingStream }]);
  const isNew = fold(keyRingDecider, before.stream(keyRingStream)).status === 'none';
  const keys = isNew ? await firstKeys(context.sealer, platform) : [];
  if (keys.length > 0)
    await insertCredentials(
      context.pool,
      keys.map((key) => key.credential),
    );

  let created = false;
  const changed = await change<PlatformRefusal>(context, by, {
    platform,
    requests: [{ streamId: platformStream }, { streamId: keyRingStream }],
    decide: (loaded) => {
      const { events, refusal } = platformDecider.decide(
        { type: 'configure', document },
        fold(platformDecider, loaded.stream(platformStream)),
      );
      if (refusal !== undefined) return { refusal };
      created = loaded.stream(keyRingStream).version === 0;
      return {
        writes: [
          { streamId: platformStream, events },
          { streamId: keyRingStream, events: created ? ringEvents(keys) : [] },
        ],
      };
    },
  });
  if ('refusal' in changed) return { kind: 'refused', refusal: changed.refusal };
  return { kind: changed.changed ? (created ? 'created' : 'configured') : 'unchanged', position: changed.position };
};
