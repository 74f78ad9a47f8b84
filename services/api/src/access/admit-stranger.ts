import { platformStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type AttemptBudget, takeAttempt } from '@grantlog/postgres';
import { OAuthError } from '@grantlog/protocol';
import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { networkOf } from './network.ts';

/** Requests of one address for clients that nobody has let in yet, each of which is written. Offices share addresses, so it is wide. */
const ofAddress = { capacity: 100, secondsEach: 3 };

/**
 * Lets something be written for a client that proves nothing, or that nobody here has ever heard of; or says when it may be.
 *
 * @throws OAuthError 429 with Retry-After
 * @throws LogUnavailable when the bucket cannot be read; nothing is written then.
 */
export const admitStranger = async (deps: Deps, request: FastifyRequest, platform: PlatformId): Promise<void> => {
  const { now } = await deps.log.load(platform, [{ streamId: platformStream }]);
  const what = [platform, networkOf(request.ip) ?? 'unknown'].join(' ');
  const key = deps.sealer.mac('stranger bucket', new TextEncoder().encode(what));
  const budget: AttemptBudget = { buckets: [{ key, ...ofAddress }], gauge: null };
  const wait = Math.ceil(await takeAttempt(deps.provisioning.pool, platform, budget, now));
  if (wait <= 0) return;
  throw new OAuthError('temporarily_unavailable', {
    status: 429,
    description: 'Too many requests came from this address; wait as long as Retry-After says',
    headers: { 'retry-after': String(wait) },
  });
};
