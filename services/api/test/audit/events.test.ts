import type { ClientStreamId } from '@grantlog/domain';
import { eraseAccount, revokeGrant } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openShop, type Shop } from '../developer/shop.ts';
import type { TestDeveloper } from '../developer/support.ts';
import type { Answer, Json } from '../management/support/world.ts';
import { indexEvents } from './support/index-events.ts';

const by = { actor: { kind: 'operator', id: 'somebody' }, correlationId: 'test' } as const;

let world: Shop['world'];
let shop: Shop['shop'];
let auditor: string;
let developer: TestDeveloper;
let stranger: TestDeveloper;
let own: { readonly id: string; readonly stream: ClientStreamId };
let other: { readonly id: string; readonly stream: ClientStreamId };

beforeAll(async () => {
  let register: Shop['register'];
  let withRoom: Shop['withRoom'];
  ({ world, shop, register, withRoom } = await openShop(inject('databaseUrl')));
  [developer, stranger] = [await withRoom(), await withRoom()];
  auditor = await (await world.machine([`auditor:${shop}`])).token({ scope: 'audit' });
  const names = await world.deps.directory.open(shop);
  const made = async (of: TestDeveloper) => {
    const { id } = await register(of);
    await world.approve(shop, id);
    return { id, stream: names?.client(id) as ClientStreamId };
  };
  [own, other] = [await made(developer), await made(stranger)];
  await Promise.all([grantOf(own, developer.id), grantOf(own, stranger.id), grantOf(other, developer.id)]);
  await indexEvents(world);
});
afterAll(() => world.close());

const grantOf = (client: typeof own, account: TestDeveloper['id']) =>
  world.grant({ platform: shop, client: client.stream, clientId: client.id, account, scopes: ['read'] });

type Page = { readonly events: readonly Json[]; readonly next: number | null };
const ask = (path: string, token = auditor): Promise<Answer> => world.call(token, 'GET', `/${shop}/audit/${path}`);
const events = async (query: string): Promise<readonly Json[]> => {
  const { status, body, text } = await ask(`events?${query}`);
  expect(status, text).toBe(200);
  return (body as unknown as Page).events;
};
const basic = async (
  who: TestDeveloper,
  path: string,
  at: string = shop,
): Promise<{ readonly status: number; readonly body: Json; readonly text: string }> => {
  const authorization = `Basic ${btoa(`${who.email}:${who.password}`)}`;
  const response = await world.app.inject({ method: 'GET', url: `/${at}/${path}`, headers: { authorization } });
  return {
    status: response.statusCode,
    body: /^application\/(?:problem\+)?json/.test(String(response.headers['content-type'])) ? (response.json() as Json) : {},
    text: response.body,
  };
};
const positions = (found: readonly Json[]): readonly number[] => found.map(({ position }) => Number(position));

describe('an auditor', () => {
  test('finds events by account, client, grant, type, actor, stream, position and time, and by all of it at once', async () => {
    const grants = await events(`account=${developer.id}&clientId=${own.id}&type=grant.*`);
    expect(grants.map(({ type }) => type)).toEqual(['grant.authorized']);
    const [grant] = grants;
    const id = String(grant?.['streamId']);
    const at = Number(grant?.['position']);
    const time = encodeURIComponent(String(grant?.['recordedAt']));
    for (const query of [
      `grant=${id}`,
      `stream=${id}`,
      `from=${at}&to=${at}`,
      `email=${encodeURIComponent(developer.email.toUpperCase())}&clientId=${own.id}&type=grant.authorized,grant.revoked`,
      `commit=${String(grant?.['commitId'])}`,
      `actor=test&actorKind=system&grant=${id}&since=${time}`,
    ])
      expect([query, positions(await events(query))]).toEqual([query, [at]]);
    expect(await events(`grant=${id}&actor=somebody-else`)).toEqual([]);
    expect(await events(`grant=${id}&account=${stranger.id}`)).toEqual([]);
    expect(await events(`email=${developer.email}&account=${stranger.id}`)).toEqual([]);
  });

  test('pages through everything once, in either order, whatever is appended meanwhile', async () => {
    for (const order of ['newest', 'oldest']) {
      const seen: number[] = [];
      let cursor = '';
      do {
        const { body } = await ask(`events?order=${order}&limit=3&clientId=${own.id}${cursor}`);
        const page = body as unknown as Page;
        seen.push(...positions(page.events));
        await grantOf(other, stranger.id);
        await indexEvents(world);
        cursor = page.next === null ? '' : `&cursor=${page.next}`;
      } while (cursor !== '');
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(seen.toSorted((a, b) => (order === 'newest' ? b - a : a - b)));
      expect(seen.length).toBe((await events(`clientId=${own.id}&limit=500`)).length);
    }
  });

  test('counts by type', async () => {
    const { body } = await ask(`events/count?clientId=${own.id}`);
    expect(body).toMatchObject({ isExact: true, types: expect.arrayContaining([{ type: 'grant.authorized', count: 2 }]) });
    expect(body['count']).toBe((await events(`clientId=${own.id}&limit=500`)).length);
  });

  test('exports the same as lines of JSON and of CSV', async () => {
    const all = await events(`account=${developer.id}&order=oldest&limit=500`);
    const fetched = async (format: string) =>
      (
        await world.app.inject({
          url: `/${shop}/audit/events/export?account=${developer.id}&format=${format}`,
          headers: { authorization: `Bearer ${auditor}` },
        })
      ).body;
    expect(
      (await fetched('ndjson'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(all);
    const csv = (await fetched('csv')).trimEnd().split('\r\n');
    expect(csv[0]).toMatch(/^position,recordedAt,type,/);
    expect(csv.slice(1).map((line) => Number(line.split(',')[0]))).toEqual(positions(all));
  });

  test('is told that there is no excerpt of a log of which nothing is signed, and has none of another platform', async () => {
    expect((await ask('events/export?format=excerpt')).body).toMatchObject({ status: 404, code: 'not_signed_yet' });
    expect((await ask(`events/export?format=excerpt&grant=${developer.id}`)).body).toMatchObject({ code: 'not_signed_yet' });
    expect((await ask('events/export?format=csv&checkpoint=1')).body).toMatchObject({ status: 422, code: 'checkpoint_without_proof' });
    expect((await world.call(auditor, 'GET', '/arlo/audit/events/export?format=excerpt')).status).toBe(403);
  });

  test.each([
    ['grant=nonsense', 'unreadable_id'],
    ['commit=nonsense', 'unreadable_id'],
    ['since=yesterday', 'unreadable_moment'],
    ['ip=nowhere', 'unreadable_address'],
    ['actorKind=client', 'actor_missing'],
  ])('is told what is wrong with %s', async (query, code) => {
    expect((await ask(`events?${query}`)).body).toMatchObject({ status: 422, code });
  });

  test.each(['from', 'to', 'cursor', 'minPosition'])('is told that %s is too large a number', async (name) => {
    expect((await ask(`events?${name}=1e20`)).body).toMatchObject({
      status: 400,
      errors: [{ path: name, problem: 'is too large a number' }],
    });
  });

  test('asks by a body as by a query, so that no email and no address need stand in a URL', async () => {
    const body = { email: developer.email, type: 'grant.*' };
    const query = new URLSearchParams(body);
    const posted = (path: string, filter: object) => world.call(auditor, 'POST', `/${shop}/audit/${path}`, filter);
    const { events: found } = (await posted('events', { ...body, order: 'oldest', limit: 500 })).body as unknown as Page;
    expect(found.length).toBeGreaterThan(0);
    expect(found).toEqual(await events(`${query}&order=oldest&limit=500`));
    expect((await posted('events/count', body)).body).toMatchObject({ count: found.length, isExact: true });
    const url = `/${shop}/audit/events/export`;
    const headers = { authorization: `Bearer ${auditor}` };
    const exported = await world.app.inject({ method: 'POST', url, headers, payload: { ...body, format: 'csv' } });
    expect(exported.body).toBe((await world.app.inject({ url: `${url}?${query}&format=csv`, headers })).body);
    expect((await posted('events', { limit: '5' })).body).toMatchObject({ status: 400, errors: [{ path: 'limit' }] });
    expect((await posted('events', { ip: 'nowhere' })).body).toMatchObject({ status: 422, code: 'unreadable_address' });
    // Nor does it open more: what is sent is judged as what is in a query.
    const { body: theirs } = await world.call(null, 'POST', `/${shop}/audit/events`, body);
    expect(theirs).toMatchObject({ status: 401 });
  });

  test('finds nothing by the email of somebody who was erased', async () => {
    const gone = await world.developer(shop);
    const query = `email=${encodeURIComponent(gone.email)}`;
    await indexEvents(world);
    expect((await events(query)).length).toBeGreaterThan(0);
    await eraseAccount(world.deps.provisioning, by, { platform: shop, account: gone.id });
    await indexEvents(world);
    expect(await events(query)).toEqual([]);
    const about = await events(`account=${gone.id}`);
    expect(about.map(({ type }) => type)).toContain('account.erased');
    expect(JSON.stringify(about)).not.toContain(gone.email);
  });

  test('sees nothing of another platform, whatever ids are given', async () => {
    const elsewhere = await (await world.machine(['auditor'])).token({ scope: 'audit' });
    for (const query of [`account=${developer.id}`, `clientId=${own.id}`]) {
      const { status, body } = await world.call(elsewhere, 'GET', `/arlo/audit/events?${query}`);
      expect([status, body['events']]).toEqual([200, []]);
    }
    expect((await world.call(auditor, 'GET', '/arlo/audit/events')).status).toBe(403);
  });

  test('is on record with what was asked, and without the email and the address', async () => {
    await ask(`events?email=${encodeURIComponent(developer.email)}&ip=203.0.113.7`);
    const [last] = (
      await world.deps.pool.query<{ data: Json }>(`select data from event where type = 'audit.read' order by position desc limit 1`)
    ).rows;
    expect(last?.data).toEqual({ question: 'events', about: { account: developer.id, ip: expect.stringMatching(/^[\w-]{22}$/) } });
    expect(await world.everything()).not.toContain('203.0.113.7');
  });
});

describe('the grants that could act', () => {
  const live = async (query: string): Promise<readonly unknown[]> => {
    const { body } = await ask(`grants?${query}`);
    return (body['grants'] as readonly Json[]).map(({ grantId }) => grantId);
  };

  test('at a moment are those that had begun and had not ended, of a client or an account', async () => {
    const [first, second] = [await grantOf(own, developer.id), await grantOf(own, stranger.id)];
    const both = await world.head(shop);
    await revokeGrant(world.deps.provisioning, by, { platform: shop, grant: first.id });
    await indexEvents(world);
    expect(await live(`at=${both}&clientId=${own.id}`)).toEqual(expect.arrayContaining([first.id, second.id]));
    expect(await live(`at=${both}&account=${developer.id}`)).not.toContain(second.id);
    const now = await live(`clientId=${own.id}`);
    expect([now.includes(first.id), now.includes(second.id)]).toEqual([false, true]);
    expect(await live(`at=${first.position - 1}&clientId=${own.id}`)).not.toContain(first.id);
  });
});

describe('people and developers', () => {
  test('read what concerns their own account, and who has read it', async () => {
    await ask(`events?account=${developer.id}`);
    await indexEvents(world);
    const { status, body } = await basic(developer, 'account/events?limit=500');
    expect(status).toBe(200);
    const found = (body as unknown as Page).events;
    expect(positions(found)).toEqual(positions(await events(`account=${developer.id}&limit=500&to=${positions(found)[0]}`)));
    expect(found.map(({ type }) => type)).toContain('audit.read');
    // Nobody else's, however they ask.
    for (const query of [
      `account=${stranger.id}`,
      `email=${encodeURIComponent(stranger.email)}`,
      `grant=${(await grantOf(other, stranger.id)).id}`,
    ])
      expect(((await basic(developer, `account/events?${query}`)).body as unknown as Page).events).toEqual([]);
    const posted = async (payload: object) => {
      const headers = { authorization: `Basic ${btoa(`${developer.email}:${developer.password}`)}` };
      const response = await world.app.inject({ method: 'POST', url: `/${shop}/account/events`, headers, payload });
      return (response.json() as unknown as Page).events;
    };
    expect((await posted({ limit: 500 })).length).toBeGreaterThan(0);
    for (const of of [{ account: stranger.id }, { email: stranger.email }]) expect(await posted(of)).toEqual([]);
    const reads = await events(`type=audit.read&actor=${developer.id}`);
    expect(reads).toEqual([]);
  });

  test('read what concerns a client of theirs, on record, and no other client', async () => {
    const { status, body } = await basic(developer, `developer/clients/${own.id}/events?type=grant.*&limit=500`);
    expect(status).toBe(200);
    const found = (body as unknown as Page).events;
    expect(found.length).toBeGreaterThan(1);
    expect(new Set(found.flatMap(({ data }) => (data as Json)['clientId'] ?? []))).toEqual(new Set([own.id]));
    expect((await basic(developer, `developer/clients/${other.id}/events`)).status).toBe(404);
    expect(((await basic(developer, `developer/clients/${own.id}/events?clientId=${other.id}`)).body as unknown as Page).events).toEqual(
      [],
    );
    await indexEvents(world);
    expect((await events(`type=audit.read&actor=${developer.id}`)).length).toBeGreaterThan(0);
    expect((await basic(developer, `developer/clients/${own.id}/events/count`)).body).toMatchObject({ isExact: true });
    expect((await basic(developer, `developer/clients/${own.id}/events/export`)).text).toContain('client.registered');
  });

  test('get no excerpts, which show leaves as they are', async () => {
    for (const door of ['account', `developer/clients/${own.id}`])
      for (const query of ['format=excerpt', 'checkpoint=1', 'format=excerpt&checkpoint=1']) {
        const { status, text } = await basic(developer, `${door}/events/export?${query}`);
        expect([door, query, status, text.includes('"hash"')]).toEqual([door, query, 400, false]);
      }
  });

  test('are let in nowhere else', async () => {
    for (const path of ['audit/events', 'audit/events/count', 'audit/events/export', 'audit/grants'])
      expect([path, (await basic(developer, path)).status]).toEqual([path, 401]);
    expect((await basic(developer, 'account/events', 'arlo')).status).toBe(401);
  });
});
