import type { EndpointId } from '@grantlog/domain';
import { platformStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { takeAttempt } from '@grantlog/postgres';
import type { Deps } from '../deps.ts';
import { tooMany } from './too-many.ts';

/** Messages that are sent because somebody asked for them: ten at once, and ten a minute. */
const ofEndpoint = { capacity: 10, secondsEach: 6 };

/**
 * Lets a request have a message sent to an endpoint. Ask it about endpoints alone that are the caller's: anybody could else
 * spend what its owner has.
 *
 * @throws ProblemError 429 with Retry-After
 * @throws LogUnavailable when the bucket cannot be read; nothing is sent then.
 */
export const admitMessage = async (
  { log, sealer, provisioning }: Pick<Deps, 'log' | 'sealer' | 'provisioning'>,
  { platform, endpoint }: { readonly platform: PlatformId; readonly endpoint: EndpointId },
): Promise<void> => {
  const { now } = await log.load(platform, [{ streamId: platformStream }]);
  const key = sealer.mac('endpoint message bucket', new TextEncoder().encode(`${platform} ${endpoint}`));
  const wait = await takeAttempt(provisioning.pool, platform, { buckets: [{ key, ...ofEndpoint }], gauge: null }, now);
  if (wait > 0) throw tooMany({ detail: 'Too many messages were asked for this endpoint', retryAfter: Math.ceil(wait) });
};
