import { createDataKey, randomUuid, sealPersonal, standingId, uuidv7 } from '@grantlog/crypto';
import { type AccountId, type ClientStreamId, keyRingStream, standingKinds } from '@grantlog/domain';
import type { Actor, Commit, CommitId, NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { consumeOnce, createPool, ensureSubscriptions, insertDataKey, readHead, transaction } from '@grantlog/postgres';
import { createPlatformDirectory, type PlatformNames, sealDataKey } from '@grantlog/provisioning';
import {
  type AuditEntry,
  type AuditFilter,
  type AuditQuery,
  createAuditIndex,
  ensureGenerations,
  listAuditEvents,
  type Projection,
  subscriptionOf,
} from '@grantlog/read-models';
import { parseTraceparent } from '@grantlog/runtime';
import { createAddressDigests } from '../../src/subscriptions/address-digests.ts';
import { createErasure } from '../../src/subscriptions/erasure.ts';
import { clinic, createAgents } from '../support/agents.ts';
import { platform, type World } from '../support/world.ts';

type Write = { readonly streamId: StreamId; readonly expected?: number; readonly events: readonly NewEvent[] };

export const newStream = (): StreamId => uuidv7(Date.now()) as StreamId;
export const newAccount = (): AccountId => standingId(standingKinds.account) as AccountId;
export const newClient = (): ClientStreamId => standingId(standingKinds.client) as ClientStreamId;

/** The index of a world, and short ways to fill the log and to ask. */
export const openAudit = async (world: World) => {
  const agents = await createAgents(world);
  const directory = createPlatformDirectory({ log: world.log, sealer: world.sealer });
  const names = (await directory.open(clinic)) as PlatformNames;
  const index = createAuditIndex({
    traceOf: (correlationId) => parseTraceparent(correlationId)?.traceId ?? correlationId,
    digestAddresses: createAddressDigests({ directory, sealer: world.sealer }),
  });

  /** Runs the given consumers until nothing is left to take in. */
  const run = async (subscriptions: Parameters<typeof consumeOnce>[1]): Promise<void> => {
    await ensureSubscriptions(
      world.pool,
      subscriptions.map(({ name }) => name),
    );
    for (;;) {
      const outcome = await consumeOnce(world.pool, subscriptions);
      if (outcome.kind === 'failed') throw outcome.error;
      if (outcome.kind === 'idle') return;
    }
  };
  const append = async (
    writes: readonly Write[],
    of: Partial<Pick<Commit, 'actor' | 'correlationId' | 'commitId' | 'causationId'>> & { readonly on?: PlatformId } = {},
  ): Promise<number> => {
    const { on = clinic, ...rest } = of;
    const result = await world.log.append(on, {
      commitId: randomUuid() as CommitId,
      writes: writes.map((write) => ({ expected: 0, ...write })),
      reads: [],
      actor: { kind: 'system', id: 'test' },
      correlationId: 'test',
      ...rest,
    });
    if (result.outcome === 'conflict') throw new Error('a stream is not at the version expected');
    return result.position;
  };
  /** A data key of a subject, and what it seals of an address for an event. */
  const sealedAddress = async (subject: StreamId, streamId: StreamId, address: string): Promise<Uint8Array> => {
    const dataKey = createDataKey();
    const sealed = sealDataKey(world.sealer, { platform: clinic, subject, dataKey });
    const standing = await insertDataKey(world.api, { platform: clinic, subject, sealed });
    return sealPersonal({
      dataKey: world.sealer.open(standing, `data_key ${clinic} ${subject}`),
      platform: clinic,
      streamId,
      version: 1,
      fields: { address, userAgent: 'a browser' },
    });
  };

  return {
    agents,
    names,
    index,
    append,
    sealedAddress,
    /** Somebody signs in from an address. */
    signIn: async (account: StreamId, address: string): Promise<StreamId> => {
      const streamId = newStream();
      const personal = await sealedAddress(account, streamId, address);
      await append([{ streamId, events: [{ type: 'sign_in.succeeded', data: { account, method: 'password', amr: ['pwd'] }, personal }] }]);
      return streamId;
    },
    head: (on: PlatformId = clinic) => readHead(world.api, on),
    catchUp: async (projection: Projection = index): Promise<void> => {
      const generations = await transaction(world.pool, (client) => ensureGenerations(client, projection));
      const wanted = new Set(generations.flatMap(({ live, building }) => (building === null ? [live] : [live, building])));
      await run([...wanted].map((generation) => subscriptionOf(projection, generation)));
    },
    carryOutErasures: () => run([createErasure()]),
    rows: async (generation: number) => {
      const read = (table: string, key: string) =>
        world.pool.query(`select to_jsonb(t) - 'generation' as row from ${table} t where generation = $1 order by platform, ${key}`, [
          generation,
        ]);
      return { entries: (await read('audit_entry', 'position')).rows, streams: (await read('audit_stream', 'stream_id')).rows };
    },
  };
};

export type Audit = Awaited<ReturnType<typeof openAudit>>;

/** Every page of a query, one after another; says also how many there were. */
export const allPages = async (
  world: World,
  query: Partial<AuditQuery> & { readonly filter?: AuditFilter } = {},
): Promise<{ readonly entries: readonly AuditEntry[]; readonly pages: number }> => {
  const entries: AuditEntry[] = [];
  let cursor: number | null = null;
  for (let pages = 1; ; pages += 1) {
    const page = await listAuditEvents(world.api, { platform: clinic, filter: {}, order: 'newest', ...query, cursor });
    entries.push(...page.entries);
    cursor = page.next;
    if (cursor === null) return { entries, pages };
  }
};

/** Rows of a log or an index that nobody recorded, by who owns the tables. */
export const plant = async (world: World, sql: string, values: readonly unknown[] = []): Promise<void> => {
  const owner = createPool({ connectionString: world.url, role: 'grantlog_migrate', max: 1, replyTimeout: 100_000 });
  try {
    await owner.query(sql, [...values]);
  } finally {
    await owner.end();
  }
};

export { type Actor, clinic, keyRingStream, platform };
