import type { PlatformId } from '@grantlog/eventsourcing';
import { type AttemptBucket, type AttemptBudget, giveBackAttempt, type Pool, takeAttempt } from '@grantlog/postgres';
import { networkOf } from '../access/network.ts';
import type { Deps } from '../deps.ts';

type Size = Omit<AttemptBucket, 'key'>;

/** Documents that one address makes us fetch, all of them at URLs that nobody has named lately. */
const fetchesOfAddress: Size = { capacity: 30, secondsEach: 10 };
/** Documents of one host that nobody has let in yet, whoever names them: nobody floods a site through us. */
const fetchesOfHost: Size = { capacity: 120, secondsEach: 3 };

/**
 * Lets a document be fetched for somebody who has proved nothing, taking from the budgets of their address and of its host.
 *
 * @param fetching.isKnown whether a person has let this very client in: strangers who use up its host's budget by naming others do
 *   not lock it out, and its own document is asked for once in a while whoever comes.
 * @returns null, or words for why not.
 * @throws LogUnavailable when the buckets cannot be read; nothing is fetched then.
 */
export const admitFetch = async (
  deps: Pick<Deps, 'sealer'> & { readonly provisioning: { readonly pool: Pool } },
  fetching: {
    readonly platform: PlatformId;
    readonly address: string;
    readonly host: string;
    readonly isKnown: boolean;
    readonly now: number;
  },
): Promise<string | null> => {
  const { platform, address, host, isKnown, now } = fetching;
  const { pool } = deps.provisioning;
  const budget = (size: Size, ...what: readonly string[]): AttemptBudget => ({
    buckets: [{ key: deps.sealer.mac('metadata document bucket', new TextEncoder().encode([platform, ...what].join(' '))), ...size }],
    gauge: null,
  });
  const ofAddress = budget(fetchesOfAddress, 'address', networkOf(address) ?? 'unknown');
  if ((await takeAttempt(pool, platform, ofAddress, now)) > 0)
    return 'Too many apps that are new here were asked for from your address; try again in a minute';
  if (isKnown || (await takeAttempt(pool, platform, budget(fetchesOfHost, 'host', host), now)) <= 0) return null;
  await giveBackAttempt(pool, platform, ofAddress);
  return 'Too many apps of its site were asked for; try again in a minute';
};
