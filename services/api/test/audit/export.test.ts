import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createPool } from '@grantlog/postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createWorld, type World } from '../management/support/world.ts';
import { indexEvents } from './support/index-events.ts';

/** So many events, of some 4.5 kB each, that they are much more than sockets hold on the way. */
const count = 20_000;
const MB = 1024 * 1024;

let world: World;
let port: number;
let token: string;
let first: number;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  token = await (await world.machine(['auditor'])).token({ scope: 'audit' });
  await indexEvents(world);
  await plant();
  await world.app.listen({ host: '127.0.0.1', port: 0 });
  ({ port } = world.app.server.address() as AddressInfo);
});
afterAll(() => world.close());

/** Events and their entries as nobody recorded them, by who owns the tables. */
const plant = async (): Promise<void> => {
  const owner = createPool({ connectionString: world.databaseUrl, role: 'grantlog_migrate', max: 1, replyTimeout: 100_000 });
  try {
    const { rows } = await owner.query<{ head: number }>('select max(position) as head from event where platform = $1', [world.arlo]);
    const head = rows[0]?.head ?? 0;
    first = head + 1;
    await owner.query(
      `with planted as (select $2 + n as position, n, ('00000000-0003-8000-8000-' || lpad(n::text, 12, '0'))::uuid as stream_id, gen_random_uuid() as commit_id
         from generate_series(1, $3::int) n),
       events as (insert into event (platform, position, stream_id, version, commit_id, type, schema_version, data, actor, correlation_id, recorded_at)
         select $1, position, stream_id, 1, commit_id, 'account.registered', 1, jsonb_build_object('words', repeat('word ', 900)),
           '{"kind": "system", "id": "test"}', 'test', now() from planted)
       insert into audit_entry (platform, generation, position, clock, stream_id, version, type, account, actor_kind, actor_id, trace, commit_id)
       select $1, 1, position, now(), stream_id, 1, 'account.registered', stream_id, 'system', 'test', 'test', commit_id from planted`,
      [world.arlo, head, count],
    );
    await owner.query(`update subscription set position = $2 where name = 'audit-index@1' and platform = $1`, [world.arlo, head + count]);
  } finally {
    await owner.end();
  }
};

const begin = (format: 'ndjson' | 'csv'): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const path = `/${world.arlo}/audit/events/export?format=${format}&from=${first}`;
    get({ host: '127.0.0.1', port, path, headers: { authorization: `Bearer ${token}` } }, resolve).on('error', reject);
  });

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
/** What is in use when all garbage is gone. */
const heapNow = async (): Promise<number> => {
  await pause(50);
  collect();
  collect();
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
};

/** Lines of an answer as they come; nothing of them is kept. */
const readLines = async (response: IncomingMessage, onLines: (lines: number) => Promise<void>): Promise<number> => {
  let lines = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
    await onLines(lines);
  }
  return lines;
};

describe.each([
  ['ndjson', 0],
  ['csv', 1],
] as const)('an export as %s', (format, headers) => {
  test('takes no more memory at its end than at its beginning', async () => {
    const before = await heapNow();
    const seen: number[] = [];
    const marks = [0.1, 0.9];
    const lines = await readLines(await begin(format), async (read) => {
      if (marks[0] === undefined || read < marks[0] * count) return;
      marks.shift();
      seen.push(await heapNow());
    });
    expect(lines).toBe(count + headers);
    const [early = 0, late = 0] = seen;
    // A tenth of it is 9 MB, and what is on the way at any moment a page of 4.5 MB, some times over.
    expect((late - early) / MB, `${before / MB} MB before, ${early / MB} and ${late / MB} MB in it`).toBeLessThan(12);
    expect((late - before) / MB).toBeLessThan(30);
  });

  test('waits for a reader that is slow, and holds nothing ready for it', async () => {
    const before = await heapNow();
    const response = await begin(format);
    response.pause();
    let asked = 0;
    const onAcquire = (): void => {
      asked += 1;
    };
    world.deps.pool.on('acquire', onAcquire);
    // Until nothing more is read for it: what the sockets between take is the kernel's.
    for (let [last, quiet] = [-1, 0]; quiet < 10; quiet = asked === last ? quiet + 1 : 0, last = asked) await pause(100);
    world.deps.pool.off('acquire', onAcquire);
    expect(((await heapNow()) - before) / MB).toBeLessThan(20);
    // Two statements a page of 1,000.
    expect(asked).toBeLessThan((2 * count) / 1_000);
    expect(await readLines(response, async () => {})).toBe(count + headers);
  });
});
