import type { KeyRingRefusal, RetirementReason } from '@grantlog/domain';
import { keyRingDecider, keyRingStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import type { KeyName } from './key-name.ts';
import type { By, Provisioning } from './provisioning.ts';

/** Takes a key off the ring: what it made is void from then on. `compromised` does not wait for that to have run out. */
export const retireKey = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly key: KeyName; readonly reason: RetirementReason },
): Promise<Changed<'unknown_platform' | KeyRingRefusal>> => {
  const { platform, key, reason } = task;
  if ((await context.directory.open(platform)) === null) return { refusal: 'unknown_platform' };
  return change(context, by, {
    platform,
    requests: [{ streamId: keyRingStream }],
    decide: (loaded) => {
      const { events, refusal } = keyRingDecider.decide(
        { type: 'retireKey', ...key, now: loaded.now, reason },
        fold(keyRingDecider, loaded.stream(keyRingStream)),
      );
      return refusal === undefined ? { writes: [{ streamId: keyRingStream, events }] } : { refusal };
    },
  });
};
