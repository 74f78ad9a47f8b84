import { platformStream } from '@grantlog/domain';
import type { EventLog, PlatformId } from '@grantlog/eventsourcing';
import { appendBatch, classifyFailure } from '@grantlog/postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAll } from '../../../packages/postgres/test/support/event-table.ts';
import { createTestDatabase, type TestDatabase } from '../../../packages/postgres/test/support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from '../../../packages/postgres/test/support/test-log.ts';
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts';
import {
  commitFacts,
  configured,
  type Grant,
  newGrant,
  newParties,
  openingOf,
  redeemCode,
  refreshGrant,
  registeredAccount,
  registeredClient,
} from './grants.ts';

let database: TestDatabase;
let direct: TestLog;
beforeAll(async () => {
  database = await createTestDatabase('cut_replies');
  direct = openTestLog(database.url);
});
afterAll(async () => {
  await direct.close();
  await database.drop();
});

const openGrants = async (
  count: number,
  active: boolean,
): Promise<{ readonly platform: PlatformId; readonly grants: readonly Grant[] }> => {
  const platform = await newPlatform(direct.pool);
  const parties = newParties();
  const grants = Array.from({ length: count }, () => newGrant(parties));
  await direct.log.append(
    platform,
    commitFacts([
      { streamId: platformStream, expected: 0, events: [configured()] },
      { streamId: parties.client, expected: 0, events: [registeredClient()] },
      { streamId: parties.account, expected: 0, events: [registeredAccount()] },
      ...grants.map((grant) => ({ streamId: grant.id, expected: 0, events: openingOf(parties, active) })),
    ]),
  );
  return { platform, grants };
};

const countByType = async (platform: PlatformId): Promise<Readonly<Record<string, number>>> => {
  const counts: Record<string, number> = {};
  for (const { type } of await readAll(database, platform)) if (type.startsWith('grant.')) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
};

/**
 * Every grant is refreshed again and again by one patient client, with the strict rule, through connections that break.
 * Each call must be decided once, and be answered with the next sequence.
 */
const checkRefreshes = async (
  log: EventLog,
  proxy: CuttingProxy,
  size: { readonly grants: number; readonly refreshes: number; readonly cuts: number },
): Promise<void> => {
  const { platform, grants } = await openGrants(size.grants, true);
  const before = proxy.cuts();
  let decided = 0;
  const onDecide = (): void => {
    decided += 1;
  };
  const outcomes = await Promise.all(
    grants.map(async (grant) => {
      for (let sequence = 1; sequence <= size.refreshes; sequence += 1) {
        const issued = await refreshGrant(log, platform, grant, { sequence, retrySeconds: 0, onDecide });
        if (!('sequence' in issued)) return `refused as ${issued.refusal}`;
        if (issued.sequence !== sequence + 1) return `sequence ${sequence} was answered with ${issued.sequence}`;
      }
      return 'refreshed';
    }),
  );
  const total = size.grants * size.refreshes;
  const { 'grant.authorized': _, 'grant.code_redeemed': __, ...counts } = await countByType(platform);
  const refused = outcomes.find((outcome) => outcome !== 'refreshed');
  if (refused !== undefined) throw new Error(refused);
  expect({ counts, decided }).toEqual({ counts: { 'grant.refreshed': total }, decided: total });
  expect(proxy.cuts() - before).toBeGreaterThan(size.cuts);
};

const throughProxy = async (
  chances: { readonly reply: number; readonly request: number },
  work: (ours: TestLog, proxy: CuttingProxy) => Promise<void>,
): Promise<void> => {
  const proxy = await startCuttingProxy(database.url, chances);
  const ours = openTestLog(proxy.url, { max: 4, askAgainFor: 20_000 });
  try {
    await work(ours, proxy);
  } finally {
    await ours.close();
    await proxy.close();
  }
};

describe('a reply that is lost after the commit', () => {
  test('never revokes a user, never appends twice and is never decided again', { timeout: 60_000 }, async () => {
    await throughProxy({ reply: 0.15, request: 0.1 }, (ours, proxy) =>
      checkRefreshes(ours.log, proxy, { grants: 12, refreshes: 40, cuts: 15 }),
    );
  });

  test('is the same when most replies are lost', { timeout: 60_000 }, async () => {
    await throughProxy({ reply: 0.5, request: 0 }, (ours, proxy) => checkRefreshes(ours.log, proxy, { grants: 8, refreshes: 5, cuts: 3 }));
  });

  test('never makes a code look replayed', { timeout: 60_000 }, async () => {
    await throughProxy({ reply: 0.25, request: 0.1 }, async (ours, proxy) => {
      const { platform, grants } = await openGrants(40, false);
      for (const grant of grants) expect(await redeemCode(ours.log, platform, grant)).toEqual({ sequence: 1 });
      expect(await countByType(platform)).toEqual({ 'grant.authorized': 40, 'grant.code_redeemed': 40 });
      expect(proxy.cuts()).toBeGreaterThan(15);
    });
  });

  test('in two processes at once gives each of two rivals a truth: one refresh, and no commit twice', { timeout: 60_000 }, async () => {
    await throughProxy({ reply: 0.2, request: 0.1 }, (one) =>
      throughProxy({ reply: 0.2, request: 0.1 }, async (two) => {
        const { platform, grants } = await openGrants(8, true);
        for (let sequence = 1; sequence <= 6; sequence += 1) {
          const answers = await Promise.all(
            grants.flatMap((grant) => [one, two].map(({ log }) => refreshGrant(log, platform, grant, { sequence, retrySeconds: 60 }))),
          );
          expect(answers).toEqual(answers.map(() => ({ sequence: sequence + 1 })));
        }
        const { 'grant.refresh_retried': retried, ...counts } = await countByType(platform);
        expect(counts).toEqual({ 'grant.authorized': 8, 'grant.code_redeemed': 8, 'grant.refreshed': 48 });
        // The rival that came second asked again for what the first had been given.
        expect(retried).toBeLessThanOrEqual(48);
      }),
    );
  });

  test('the test catches a log that takes a lost reply for a lost race, so that it is decided again', { timeout: 60_000 }, async () => {
    await throughProxy({ reply: 0.15, request: 0.1 }, async (ours, proxy) => {
      const careless: EventLog = {
        load: ours.log.load,
        append: async (platform, commit) => {
          try {
            return (await appendBatch(ours.pool, platform, [commit]))[0] ?? { outcome: 'conflict' };
          } catch (error) {
            if (classifyFailure(error) === 'unknown') return { outcome: 'conflict' };
            throw error;
          }
        },
      };
      await expect(checkRefreshes(careless, proxy, { grants: 8, refreshes: 20, cuts: 5 })).rejects.toThrow(
        /refused as (refresh_reused|grant_ended)/,
      );
    });
  });

  test('the test catches a log that does not recognise a commit asked for again', { timeout: 60_000 }, async () => {
    await throughProxy({ reply: 0.15, request: 0.1 }, async (ours, proxy) => {
      const forgetful: EventLog = {
        load: ours.log.load,
        // Another id at every asking: the log cannot know it.
        append: async (platform, commit) => {
          for (;;) {
            try {
              return (
                (await appendBatch(ours.pool, platform, [{ ...commit, commitId: commitFacts([]).commitId }]))[0] ?? { outcome: 'conflict' }
              );
            } catch (error) {
              if (classifyFailure(error) !== 'unknown') throw error;
            }
          }
        },
      };
      await expect(checkRefreshes(forgetful, proxy, { grants: 8, refreshes: 20, cuts: 5 })).rejects.toThrow(
        /refused as (refresh_reused|grant_ended)/,
      );
    });
  });
});
