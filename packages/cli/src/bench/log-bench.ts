import { randomToken, randomUuid, standingId, uuidv7 } from '@grantlog/crypto';
import { platformStream, standingKinds } from '@grantlog/domain';
import type { Commit, CommitId, EventLog, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { openLog, type Pool } from '@grantlog/postgres';
import { createMeter, type Run } from './measure.ts';

const platform = 'bench' as PlatformId;

const commitOf = (writes: Commit['writes'], reads: Commit['reads']): Commit => ({
  commitId: randomUuid() as CommitId,
  writes,
  reads,
  actor: { kind: 'system', id: 'bench' },
  correlationId: 'bench',
});

const first = (streamId: StreamId, type: string): Commit['writes'][number] => ({ streamId, expected: 0, events: [{ type, data: {} }] });

/** Appends as a redemption makes them (one event, three streams read), and loads of a grant with its client, account and platform. */
export const benchLog = async (run: Run, { log, pool }: { readonly log: EventLog; readonly pool: Pool }): Promise<void> => {
  const meter = createMeter(run, null);
  await openLog(pool, { platform, lineage: randomUuid() });
  const client = standingId(standingKinds.client) as StreamId;
  const account = standingId(standingKinds.account) as StreamId;
  await log.append(
    platform,
    commitOf([first(platformStream, 'bench.began'), first(client, 'bench.began'), first(account, 'bench.began')], []),
  );
  const reads = [client, account, platformStream].map((streamId) => ({ streamId, expected: 1 }));
  const grants: StreamId[] = [];
  const terms = { client, account, scopes: ['openid', 'profile', 'offline_access'], tokenNonce: randomToken(32) };

  for (const [callers, operations] of [
    [1, 2_000],
    [8, 12_000],
    [64, 40_000],
    [256, 60_000],
  ] as const) {
    await meter({
      name: 'append',
      callers,
      operations,
      operation: async () => {
        const streamId = uuidv7(Date.now()) as StreamId;
        grants.push(streamId);
        await log.append(platform, commitOf([{ streamId, expected: 0, events: [{ type: 'bench.granted', data: terms }] }], reads));
      },
    });
  }
  for (const [callers, operations] of [
    [1, 4_000],
    [64, 60_000],
  ] as const) {
    await meter({
      name: 'load of four streams',
      callers,
      operations,
      operation: async (index) => {
        const streamId = grants[(index * 7_919) % grants.length] as StreamId; // a prime step: no two neighbours
        await log.load(platform, [{ streamId, follow: true }, { streamId: platformStream }]);
      },
    });
  }
};
