import type { NewMessage } from '@grantlog/postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { eventually } from '../../../../test/support/eventually.ts';
import type { Answer } from '../management/support/world.ts';
import { createFeedWorld, type FeedWorld, startProcess } from './support.ts';

let world: FeedWorld;
let operator: string;
let token: string;
beforeAll(async () => {
  world = await createFeedWorld(inject('databaseUrl'));
  operator = await world.operator('operator');
  token = await world.machine.token({ scope: 'read' });
});
afterAll(() => world.close());

type Page = { readonly events: readonly { readonly id: string; readonly type: string }[]; readonly next: string; readonly more: boolean };
const ask = (query = '', bearer: string | null = operator, platform = 'arlo'): Promise<Answer> =>
  world.call(bearer, 'GET', `/${platform}/events${query}`);
const page = async (query = '', bearer = operator): Promise<Page> => {
  const { status, body, text } = await ask(query, bearer);
  expect(status, text).toBe(200);
  return body as unknown as Page;
};
const now = async (bearer = operator): Promise<string> => (await page('?after=latest', bearer)).next;
const ids = (messages: readonly { readonly id: string }[]): readonly string[] => messages.map(({ id }) => id);
const ofMachine = (): Partial<NewMessage> => ({ audience: [world.machine.stream] });

describe('a request that waits', () => {
  test.each([true, false])('is answered as soon as something is told, holding no connection meanwhile (listening: %s)', async (listens) => {
    const server = await startProcess(world, { listens });
    try {
      const from = await now(token);
      const asked = performance.now();
      const waiting = fetch(`${server.url}/arlo/events?after=${from}&wait=20`, { headers: { authorization: `Bearer ${token}` } });
      await new Promise((resolve) => setTimeout(resolve, 700));
      // A look at the database takes one for a moment; who held one for the wait would have it all the time.
      await eventually('a moment without a connection', async () => (server.pool.totalCount === server.pool.idleCount ? true : null), 5);
      // What concerns others wakes nobody.
      await world.say();
      const told = await world.say(ofMachine());
      if (listens) await world.worker.query(`select pg_notify('grantlog_told', 'arlo')`);
      const { events, next } = (await (await waiting).json()) as Page;
      expect(ids(events)).toEqual([told.id]);
      // Long before the wait would have been over.
      expect(performance.now() - asked).toBeLessThan(15_000);
      expect((await page(`?after=${next}`, token)).events).toEqual([]);
    } finally {
      await server.close();
    }
  });

  test('is answered with nothing when the time is over, and the cursor has not missed anything', async () => {
    const from = await now(token);
    const asked = performance.now();
    const empty = await page(`?after=${from}&wait=1`, token);
    expect(performance.now() - asked).toBeGreaterThan(950);
    expect(empty).toEqual({ events: [], next: from, more: false });
    const told = await world.say(ofMachine());
    expect(ids((await page(`?after=${empty.next}`, token)).events)).toEqual([told.id]);
  });

  test('goes on waiting for the types asked for', async () => {
    const from = await now(token);
    const waiting = page(`?after=${from}&wait=10&types=grant.revoked`, token);
    await world.say(ofMachine());
    await new Promise((resolve) => setTimeout(resolve, 400));
    const told = await world.say({ type: 'grant.revoked', ...ofMachine() });
    expect(ids((await waiting).events)).toEqual([told.id]);
  });

  test('is told nothing where its token died meanwhile', async () => {
    const { stream: client, clientId } = world.machine;
    const { id: account } = await world.account(world.arlo);
    const { id, accessToken } = await world.grant({ platform: world.arlo, client, clientId, account, scopes: ['read'] });
    const waiting = ask(`?after=${await now(accessToken)}&wait=10`, accessToken);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await world.revoke(id);
    await world.say({ type: 'grant.revoked', subject: id });
    expect((await waiting).status).toBe(401);
  });

  test('is bounded, for each caller and for all, and gives its place back', async () => {
    const server = await startProcess(world, { most: 3, mostOfOne: 2 });
    const wait = (bearer: string, signal?: AbortSignal) =>
      fetch(`${server.url}/arlo/events?after=latest`, { headers: { authorization: `Bearer ${bearer}` } })
        .then((answer) => answer.json() as Promise<Page>)
        .then(({ next }) =>
          fetch(`${server.url}/arlo/events?after=${next}&wait=20`, {
            headers: { authorization: `Bearer ${bearer}` },
            ...(signal === undefined ? {} : { signal }),
          }),
        );
    try {
      const leaving = new AbortController();
      const left = wait(token, leaving.signal).catch(() => 'left');
      const own = [wait(token), wait(operator)];
      await new Promise((resolve) => setTimeout(resolve, 500));
      const refused = await wait(token);
      expect([refused.status, refused.headers.get('retry-after'), (await refused.json()) as object]).toMatchObject([
        429,
        '5',
        { code: 'too_many_waiting' },
      ]);
      const full = await wait(await world.operator('operator'));
      expect([full.status, full.headers.get('retry-after'), (await full.json()) as object]).toMatchObject([
        503,
        '5',
        { code: 'waiting_room_full' },
      ]);
      leaving.abort();
      expect(await left).toBe('left');
      await new Promise((resolve) => setTimeout(resolve, 200));
      const again = wait(token);
      await new Promise((resolve) => setTimeout(resolve, 300));
      const told = await world.say(ofMachine());
      for (const each of [...own, again]) expect(ids(((await (await each).json()) as Page).events)).toEqual([told.id]);
    } finally {
      await server.close();
    }
  });

  test('is answered at once when the server stops', async () => {
    const server = await startProcess(world);
    const from = await now(token);
    const waiting = fetch(`${server.url}/arlo/events?after=${from}&wait=30`, { headers: { authorization: `Bearer ${token}` } });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const stopping = performance.now();
    await server.close();
    const answer = await waiting;
    expect([answer.status, await answer.json()]).toEqual([200, { events: [], next: from, more: false }]);
    expect(performance.now() - stopping).toBeLessThan(3_000);
  });
});
