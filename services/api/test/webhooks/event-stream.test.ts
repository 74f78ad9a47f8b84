import { uuidv7 } from '@grantlog/crypto';
import type { StreamId } from '@grantlog/eventsourcing';
import type { NewMessage } from '@grantlog/postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { eventually } from '../../../../test/support/eventually.ts';
import { createFeedWorld, type FeedWorld, openStream, startProcess } from './support.ts';

let world: FeedWorld;
let server: Awaited<ReturnType<typeof startProcess>>;
let token: string;
beforeAll(async () => {
  world = await createFeedWorld(inject('databaseUrl'));
  server = await startProcess(world, { times: { heartbeat: 300 } });
  token = await world.machine.token({ scope: 'read' });
});
afterAll(async () => {
  await server.close();
  await world.close();
});

type Stream = Awaited<ReturnType<typeof openStream>>;
const open = (
  query: string,
  options: { readonly lastId?: string; readonly bearer?: string; readonly url?: string } = {},
): Promise<Stream> => {
  const { lastId, bearer = token, url = server.url } = options;
  return openStream(`${url}/arlo/events${query}`, {
    authorization: `Bearer ${bearer}`,
    ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
  });
};
const told = (of: Partial<NewMessage> = {}): Promise<NewMessage> => world.say({ audience: [world.machine.stream], ...of });
const arrived = (stream: Stream, count: number) =>
  eventually(`event ${count}`, async () => (stream.events().length >= count ? stream.events() : null), 5);
const endOf = async (stream: Stream): Promise<{ readonly id?: string; readonly reason: string; readonly detail: string }> => {
  await stream.ended;
  const last = stream.events().at(-1);
  expect(last?.event).toBe('end');
  return { ...(last?.id === undefined ? {} : { id: last.id }), ...(JSON.parse(last?.data ?? '') as { reason: string; detail: string }) };
};
const grantOf = async () => {
  const { stream: client, clientId } = world.machine;
  const { id: account } = await world.account(world.arlo);
  return world.grant({ platform: world.arlo, client, clientId, account, scopes: ['read'] });
};

describe('a stream of events', () => {
  test('has id, type and body of each webhook, as they are told, and signs of life between them', async () => {
    const first = await told();
    const stream = await open(`?after=${first.position - 1}`);
    expect([stream.status, stream.headers]).toMatchObject([
      200,
      { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'access-control-allow-origin': '*' },
    ]);
    await arrived(stream, 1);
    const second = await told({ type: 'grant.revoked' });
    await world.say();
    expect(await arrived(stream, 2)).toEqual([first, second].map(({ id, type, body }) => ({ id, event: type, data: body })));
    await eventually('a sign of life', async () => (stream.text().includes('\n: still here\n\n') ? true : null), 3);
    expect(stream.text().startsWith('retry: 3000\n\n')).toBe(true);
    stream.cut();
  });

  test('goes on after Last-Event-ID, whatever the URL says, and after the cursor of its end', async () => {
    const [first, second, third] = [await told(), await told(), await told()];
    const begun = await open(`?after=${first.position - 1}`);
    await arrived(begun, 3);
    begun.cut();
    const resumed = await open(`?after=${first.position - 1}`, { lastId: second.id });
    expect((await arrived(resumed, 1)).map(({ id }) => id)).toEqual([third.id]);
    resumed.cut();
    const brief = await startProcess(world, { times: { life: 400 } });
    try {
      const ended = await endOf(await open('?after=latest', { url: brief.url }));
      expect(ended).toMatchObject({ reason: 'time_over', id: expect.stringMatching(/^\d+\.[0-9a-f]{8}$/) });
      const missed = await told();
      const next = await open('', { lastId: ended.id ?? '' });
      expect((await arrived(next, 1)).map(({ id }) => id)).toEqual([missed.id]);
      next.cut();
    } finally {
      await brief.close();
    }
  });

  test('ends with the token: at the next event, and where there is none at the next sign of life', async () => {
    const [heard, unheard] = [await grantOf(), await grantOf()];
    const streams = [
      await open('?after=latest', { bearer: heard.accessToken }),
      await open('?after=latest', { bearer: unheard.accessToken }),
    ];
    for (const { id } of [heard, unheard]) await world.revoke(id);
    const last = await world.say({ type: 'grant.revoked', subject: heard.id });
    for (const stream of streams) {
      expect(await endOf(stream)).toMatchObject({ reason: 'invalid_token', detail: expect.stringContaining('revoked') });
      expect(stream.text()).not.toContain(last.id);
    }
    const again = await open('', { bearer: heard.accessToken });
    expect(again.status).toBe(401);
    again.cut();
  });

  test('refuses what is wrong before it begins', async () => {
    const refused = [
      await open('?after=nonsense'),
      await open('', { lastId: uuidv7(1) }),
      await open('', { lastId: 'x' }),
      await open('', { bearer: 'x' }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([400, 410, 400, 401]);
    for (const stream of refused) stream.cut();
  });

  test('ends at once when the server stops, and says where to go on', async () => {
    const stopping = await startProcess(world);
    const stream = await open('?after=latest', { url: stopping.url });
    const began = performance.now();
    const [end] = await Promise.all([endOf(stream), stopping.close()]);
    expect(end).toMatchObject({ reason: 'shutting_down' });
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test('takes nothing more from the database while its reader is slow, and drops a reader that stays so', async () => {
    const slow = await startProcess(world, { times: { patience: 500 } });
    try {
      const from = (await told()).position;
      const subject = uuidv7(Date.now()) as StreamId;
      for (let count = 0; count < 400; count += 1) {
        const body = JSON.stringify({ type: 'grant.refreshed', timestamp: '', data: { filler: 'x'.repeat(50_000) } });
        await told({ subject, body });
      }
      const before = process.memoryUsage().rss;
      const stream = await open(`?after=${from}`, { url: slow.url });
      stream.pause();
      const connections = () => new Promise<number>((resolve) => slow.app.server.getConnections((_, count) => resolve(count)));
      expect(await connections()).toBe(1);
      await eventually('the end of the connection', async () => ((await connections()) === 0 ? true : null), 10);
      stream.cut();
      expect(stream.events().length).toBeLessThan(400);
      expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
    } finally {
      await slow.close();
    }
  });

  test('gives its place back when its reader leaves', async () => {
    const small = await startProcess(world, { mostOfOne: 1 });
    try {
      for (let round = 0; round < 3; round += 1) {
        const stream = await open('?after=latest', { url: small.url });
        expect(stream.status).toBe(200);
        const other = await open('?after=latest', { url: small.url });
        expect(other.status).toBe(429);
        stream.cut();
        other.cut();
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    } finally {
      await small.close();
    }
  });
});
