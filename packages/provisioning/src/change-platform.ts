import type { PlatformCommand, PlatformRefusal } from '@grantlog/domain';
import { platformDecider, platformStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import type { By, Provisioning } from './provisioning.ts';

/** Suspends or resumes a platform, or ends every grant on it. */
export const changePlatform = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly command: Exclude<PlatformCommand, { readonly type: 'configure' }> },
): Promise<Changed<PlatformRefusal>> => {
  const { platform, command } = task;
  if ((await context.directory.open(platform)) === null) return { refusal: 'unknown_platform' };
  return change(context, by, {
    platform,
    requests: [{ streamId: platformStream }],
    decide: (loaded) => {
      const { events, refusal } = platformDecider.decide(command, fold(platformDecider, loaded.stream(platformStream)));
      return refusal === undefined ? { writes: [{ streamId: platformStream, events }] } : { refusal };
    },
  });
};
