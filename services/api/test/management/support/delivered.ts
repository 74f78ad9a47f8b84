import { uuidv7 } from '@grantlog/crypto';
import type { CommitId, NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { createPool, type DeliveryState, firstLane, insertDeliveries, insertMessages, transaction } from '@grantlog/postgres';
import type { World } from './world.ts';

/** Writes what a worker would have written of deliveries, as the role that it has. */
export const createDelivered = (world: World) => {
  const pool = createPool({ connectionString: world.databaseUrl, role: 'grantlog_worker', max: 2 });
  let count = 0;
  return {
    /** A message for an endpoint, in this state, with an attempt where it is finished. */
    deliver: async (of: {
      readonly platform: PlatformId;
      readonly endpoint: string;
      readonly state?: DeliveryState;
      readonly subject?: StreamId;
      readonly type?: string;
      readonly id?: string;
      readonly trace?: string;
      readonly position?: number;
    }): Promise<string> => {
      const { platform, state = 'delivered', subject = uuidv7(Date.now()) as StreamId, type = 'grant.refreshed' } = of;
      const endpoint = of.endpoint as StreamId;
      count += 1;
      const { position = count } = of;
      // Later ones have greater ids, whatever the clock's resolution.
      const id = of.id ?? uuidv7(Date.now() - 100_000 + count);
      const body = JSON.stringify({ type, data: { grantId: subject } });
      const told = { type, renderer: 1, body, recordedAt: Date.now(), trace: of.trace ?? null, audience: [] };
      const message = { platform, id, position, ordinal: 0, subject, ...told };
      const waits = state === 'held' || state === 'pending' ? state : 'pending';
      await transaction(pool, async (client) => {
        await insertMessages(client, [message]);
        await insertDeliveries(client, [{ platform, endpoint, id, lane: firstLane, position, line: null, proves: false, state: waits }]);
        if (waits === state) return;
        await client.query('delete from delivery where platform = $1 and id = $2 and endpoint = $3', [platform, id, endpoint]);
        await client.query(
          `insert into delivery_done (platform, endpoint, id, lane, position, proves, state, attempt, created_at)
           values ($1, $2, $3, 1, $4, false, $5, 1, now())`,
          [platform, endpoint, id, position, state],
        );
        await client.query(
          `insert into attempt (platform, endpoint, id, attempt, outcome, status, detail, duration_ms, response, began_at)
           values ($1, $2, $3, 1, $4, $5, 'The receiver answered', 12, 'what it says', now())`,
          [platform, endpoint, id, state === 'delivered' ? 'delivered' : 'rejected', state === 'delivered' ? 200 : 500],
        );
      });
      return id;
    },
    /** Messages for an endpoint that wait, later than every other. */
    deliverMany: async (of: { readonly platform: PlatformId; readonly endpoint: string; readonly count: number }): Promise<void> => {
      const { platform } = of;
      const endpoint = of.endpoint as StreamId;
      const messages = Array.from({ length: of.count }, (_, index) => {
        const subject = uuidv7(Date.now()) as StreamId;
        const told = { type: 'grant.refreshed', renderer: 1, body: '{}', recordedAt: Date.now(), trace: null, audience: [] };
        return { platform, id: uuidv7(Date.now() + index), position: 1_000_000 + index, ordinal: 0, subject, ...told };
      });
      await transaction(pool, async (client) => {
        await insertMessages(client, messages);
        const waits = { platform, endpoint, lane: firstLane, line: null, proves: false, state: 'pending' } as const;
        await insertDeliveries(
          client,
          messages.map(({ id, position: at }) => ({ ...waits, id, position: at })),
        );
      });
    },
    /** Records more of an endpoint that has so many events. */
    record: async (platform: PlatformId, endpoint: string, expected: number, ...events: readonly NewEvent[]): Promise<void> => {
      const result = await world.deps.log.append(platform, {
        commitId: crypto.randomUUID() as CommitId,
        writes: [{ streamId: endpoint as StreamId, expected, events }],
        reads: [],
        actor: { kind: 'system', id: 'test' },
        correlationId: 'test',
      });
      if (result.outcome === 'conflict') throw new Error(`${endpoint} is not at ${expected}`);
    },
    pool,
    close: () => pool.end(),
  };
};
