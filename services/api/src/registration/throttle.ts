import type { PlatformId } from '@grantlog/eventsourcing';
import { type AttemptBucket, type Pool, takeAttempt } from '@grantlog/postgres';
import { OAuthError } from '@grantlog/protocol';
import { networkOf } from '../access/network.ts';
import type { Deps } from '../deps.ts';

type Size = Omit<AttemptBucket, 'key'>;

/** Registrations from one address. Hosted assistants register for all of their people from few addresses, twice for each. */
const ofAddress: Size = { capacity: 120, secondsEach: 5 };
/** Registrations on a platform from everywhere: each is written for good, for somebody who has proved nothing. */
const ofPlatform: Size = { capacity: 2_000, secondsEach: 1 };

/**
 * Lets a client that nobody knows be written, taking from its budgets before; changes of a registration take from the same.
 *
 * @param registration.now milliseconds since the epoch by the database's clock.
 * @throws OAuthError `slow_down` with status 429 and `Retry-After`.
 * @throws LogUnavailable when the buckets cannot be read; nothing is written then.
 */
export const admitRegistration = async (
  deps: Pick<Deps, 'sealer'> & { readonly provisioning: { readonly pool: Pool } },
  registration: { readonly platform: PlatformId; readonly address: string; readonly now: number },
): Promise<void> => {
  const { platform, address, now } = registration;
  const keyOf = (...what: readonly string[]): Uint8Array =>
    deps.sealer.mac('registration bucket', new TextEncoder().encode([platform, ...what].join(' ')));
  const buckets: readonly AttemptBucket[] = [
    { key: keyOf('address', networkOf(address) ?? 'unknown'), ...ofAddress },
    { key: keyOf('platform'), ...ofPlatform },
  ];
  const wait = await takeAttempt(deps.provisioning.pool, platform, { buckets, gauge: null }, now);
  if (wait <= 0) return;
  throw new OAuthError('slow_down', {
    status: 429,
    description: 'Too many clients have been registered in a short time; wait as long as Retry-After says, and keep the client_id you have',
    headers: { 'retry-after': String(Math.ceil(wait)) },
  });
};
