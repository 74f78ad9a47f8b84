import { randomUuid } from '@grantlog/crypto';
import type { PlatformDocument, PlatformRefusal } from '@grantlog/domain';
import { keyRingDecider, keyRingStream, platformDecider, platformStream } from '@grantlog/domain';
import type { Plan, PlatformId } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { insertCredentials, openLog } from '@grantlog/postgres';
import { commitOn } from './commit.ts';
import { firstKeys, ringEvents } from './platform-keys.ts';
import type { By, Provisioning } from './provisioning.ts';

export type PlatformConfigured =
  | { readonly kind: 'created' | 'configured' | 'unchanged'; readonly position: number | null }
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

  const { outcome, appended } = await execute({
    log: context.log,
    platform,
    requests: [{ streamId: platformStream }, { streamId: keyRingStream }],
    decide: (loaded): Plan<{ readonly refusal: PlatformRefusal } | { readonly created: boolean }> => {
      const { events, refusal } = platformDecider.decide(
        { type: 'configure', document },
        fold(platformDecider, loaded.stream(platformStream)),
      );
      if (refusal !== undefined) return { commit: null, outcome: { refusal } };
      const ringIsEmpty = loaded.stream(keyRingStream).version === 0;
      return {
        commit: commitOn(loaded, by, {
          writes: [
            { streamId: platformStream, events },
            { streamId: keyRingStream, events: ringIsEmpty ? ringEvents(keys) : [] },
          ],
        }),
        outcome: { created: ringIsEmpty },
      };
    },
  });
  if ('refusal' in outcome) return { kind: 'refused', refusal: outcome.refusal };
  if (appended === null) return { kind: 'unchanged', position: null };
  return { kind: outcome.created ? 'created' : 'configured', position: appended.position };
};
