import type { KeyRingRefusal, Lifetimes, PlatformDocument, PlatformEvent, RetirementReason } from '@grantlog/domain';
import { keyRingDecider, keyRingStream, platformStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { readStream } from '@grantlog/postgres';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import type { KeyName } from './key-name.ts';
import type { By, Provisioning } from './provisioning.ts';

/** Twice as long as our JWKS may be cached. */
const propagationSeconds = 600;

const longestOf = (use: KeyName['use'], { accessTokenSeconds, refreshTokenSeconds, codeSeconds, signUpLinkSeconds }: Lifetimes): number =>
  use === 'sign' ? accessTokenSeconds : Math.max(accessTokenSeconds, refreshTokenSeconds, codeSeconds, signUpLinkSeconds);

/** Over every document that the platform ever had: what was issued under a longer lifetime lives on after it was shortened. */
const longestLifetime = async (context: Provisioning, platform: PlatformId, use: KeyName['use']): Promise<number> => {
  // Only platforms' deciders write to this stream.
  const events = (await readStream(context.pool, { platform, streamId: platformStream })) as unknown as readonly PlatformEvent[];
  const documents = events.flatMap((event): readonly PlatformDocument[] =>
    event.type === 'platform.configured' ? [event.data.document] : [],
  );
  return Math.max(0, ...documents.map(({ lifetimes }) => longestOf(use, lifetimes)));
};

/**
 * Lets a key make what its predecessor made until now; that one goes on verifying for as long as anything of it may live.
 *
 * @param task.reason `compromised` does not wait until caches of the JWKS know the key.
 */
export const activateKey = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly key: KeyName; readonly reason: RetirementReason },
): Promise<Changed<'unknown_platform' | KeyRingRefusal>> => {
  const { platform, key } = task;
  if ((await context.directory.open(platform)) === null) return { refusal: 'unknown_platform' };
  return change(context, by, {
    platform,
    requests: [{ streamId: keyRingStream }, { streamId: platformStream }],
    decide: async (loaded) => {
      const { events, refusal } = keyRingDecider.decide(
        {
          type: 'activateKey',
          ...key,
          now: loaded.now,
          propagationSeconds: task.reason === 'compromised' ? 0 : propagationSeconds,
          longestLifetimeSeconds: await longestLifetime(context, platform, key.use),
        },
        fold(keyRingDecider, loaded.stream(keyRingStream)),
      );
      return refusal === undefined ? { writes: [{ streamId: keyRingStream, events }], reads: [platformStream] } : { refusal };
    },
  });
};
