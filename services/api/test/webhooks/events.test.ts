import { uuidv7 } from '@grantlog/crypto';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { NewMessage } from '@grantlog/postgres';
import { Compile } from 'typebox/schema';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Answer } from '../management/support/world.ts';
import { createFeedWorld, type FeedWorld } from './support.ts';

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

describe('a page', () => {
  test('has the bodies of the webhooks byte for byte, each with its id, as the OpenAPI document says', async () => {
    const from = await now();
    const told = [await world.say(), await world.say({ type: 'grant.revoked' })];
    const { text, body, headers } = await ask(`?after=${from}`);
    for (const { id, body: sent } of told) expect(text).toContain(`{"id":"${id}",${sent.slice(1)}`);
    expect(body).toEqual({
      events: told.map(({ id, body: sent }) => ({ id, ...(JSON.parse(sent) as object) })),
      next: expect.any(String),
      more: false,
    });
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'access-control-allow-origin': '*', vary: 'accept' });
    const { body: openApi } = await world.call(null, 'GET', '/openapi.json');
    const place = ['paths', '/{platform}/events', 'get', 'responses', '200', 'content', 'application/json', 'schema'];
    const schema = place.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], openApi);
    expect(Compile(schema as never).Errors(body)).toEqual([true, []]);
  });

  test('goes on from the last id, from a position and from next, and each leads to the same', async () => {
    const first = await world.say();
    const rest = [await world.say(), await world.say(), await world.say()];
    for (const after of [first.id, first.id.toUpperCase(), String(first.position)]) {
      expect(ids((await page(`?after=${after}`)).events)).toEqual(ids(rest));
      const one = await page(`?after=${after}&limit=1`);
      expect([ids(one.events), one.more, one.next]).toEqual([ids(rest.slice(0, 1)), true, rest[0]?.id]);
      const others = await page(`?after=${one.next}&limit=2`);
      expect([ids(others.events), others.more]).toEqual([ids(rest.slice(1)), false]);
      expect((await page(`?after=${others.next}`)).events).toEqual([]);
    }
  });

  test('begins with the oldest that is kept where nothing is said, and with what is still to come after latest', async () => {
    const told = await world.say();
    expect(ids((await page('?limit=500')).events)).toContain(told.id);
    expect(await page('?after=latest&wait=30')).toEqual({ events: [], next: expect.stringMatching(/^\d+\.[0-9a-f]{8}$/), more: false });
  });

  test('has the types asked for, and refuses those that there are not', async () => {
    const from = await now();
    const told = [await world.say({ type: 'grant.revoked' }), await world.say({ type: 'session.linked' }), await world.say()];
    expect(ids((await page(`?after=${from}&types=grant.revoked,session.*`)).events)).toEqual(ids(told.slice(0, 2)));
    const { status, body } = await ask('?types=grant.revoked,grant.nothing');
    expect([status, body]).toMatchObject([
      400,
      { code: 'invalid_request', errors: [{ path: 'types', problem: expect.stringContaining('grant.nothing') }] },
    ]);
  });

  test.each([
    '?after=nonsense',
    '?after=-1',
    '?after=1.2.3',
    '?after=',
    '?limit=0',
    '?limit=501',
    '?wait=31',
    '?wait=x',
    '?since=1',
    '?types=',
  ])('refuses %s with what is wrong with it', async (query) => {
    const { status, headers, body } = await ask(query);
    expect([status, headers['content-type'], body['code']]).toEqual([400, 'application/problem+json; charset=utf-8', 'invalid_request']);
    expect(body['errors']).not.toEqual([]);
  });

  test('tells who was away too long where to go on', async () => {
    await world.say();
    const gone = [uuidv7(Date.now() - 40 * 86_400_000), '999999999', `${(await world.head(world.arlo)) - 1}.00000000`];
    for (const after of gone) {
      const { status, headers, body } = await ask(`?after=${after}`);
      expect([status, headers['content-type'], headers['cache-control']]).toEqual([
        410,
        'application/problem+json; charset=utf-8',
        'no-store',
      ]);
      expect(body).toMatchObject({ code: 'cursor_gone', oldest: expect.any(Number), after: String(Number(body['oldest']) - 1) });
      expect((await page(`?after=${String(body['after'])}&limit=1`)).events).toHaveLength(1);
    }
  });
});

describe('who sees what', () => {
  let sight: (bearer: string, platform?: PlatformId) => Promise<readonly number[]>;
  let told: readonly NewMessage[];
  let session: Awaited<ReturnType<FeedWorld['session']>>;
  let grant: Awaited<ReturnType<FeedWorld['grant']>>;
  beforeAll(async () => {
    session = await world.session();
    const { id: account } = await world.account(world.arlo);
    const { stream: client, clientId } = world.machine;
    grant = await world.grant({ platform: world.arlo, client, clientId, account, scopes: ['read'] });
    const from = await now();
    told = [
      await world.say({ subject: grant.id, audience: [client] }),
      await world.say({ subject: session.grant, audience: [client, session.session] }),
      await world.say({ subject: session.session, audience: [client, session.session] }),
      await world.say({ audience: [uuidv7(Date.now()) as StreamId] }),
      await world.say({ type: 'webhook_endpoint.test', subject: grant.id, audience: [client, session.session] }),
    ];
    sight = async (bearer) => (await page(`?after=${from.split('.')[0]}`, bearer)).events.map(({ id }) => ids(told).indexOf(id));
  });

  test('an operator sees the whole platform, but what is about endpoints themselves', async () => {
    expect(await sight(operator)).toEqual([0, 1, 2, 3]);
    expect(await sight(await world.operator('operator:arlo'))).toEqual([0, 1, 2, 3]);
  });

  test('a client by itself sees what concerns it', async () => expect(await sight(token)).toEqual([0, 1, 2]));
  test("a person's grant sees itself", async () => expect(await sight(grant.accessToken)).toEqual([0]));
  test("an agent's session sees itself and its grant", async () => expect(await sight(session.accessToken)).toEqual([1, 2]));

  test("another client sees nothing, and another's event is no cursor for it", async () => {
    const other = await (await world.machineOf(world.arlo)).token({ scope: 'read' });
    expect(await sight(other)).toEqual([]);
    expect((await ask(`?after=${told[0]?.id}`, other)).status).toBe(410);
    expect((await ask(`?after=${told[3]?.id}`, token)).status).toBe(410);
  });

  test.each([
    ['nothing', () => null, 401],
    ['nonsense', () => 'nonsense', 401],
    ['a refresh token', () => grant.refreshToken, 401],
  ])('%s lets nobody in', async (_, bearer, status) => {
    const answer = await ask('', bearer());
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([status, expect.stringMatching(/^Bearer realm="arlo"/)]);
  });

  test("another platform's token lets nobody in, nor one of an operator whose role is for another", async () => {
    const foreign = await (await world.machineOf(world.along)).token({ scope: 'read' });
    expect((await ask('', foreign)).status).toBe(401);
    expect(await ask('', await world.operator('operator:along'))).toMatchObject({
      status: 403,
      body: { code: 'role_required', role: 'operator:arlo' },
    });
    expect(await ask('', await world.operator())).toMatchObject({ status: 403, body: { code: 'role_required' } });
  });

  test('a token for another resource lets nobody in, neither of the platform nor of an operator', async () => {
    const { stream: client, clientId } = world.machine;
    const { id: account } = await world.account(world.arlo);
    const bound = await world.grant({
      platform: world.arlo,
      client,
      clientId,
      account,
      scopes: ['read'],
      resource: 'https://arlo.example/api',
    });
    const answer = await ask('', bound.accessToken);
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, expect.stringContaining('for another resource')]);
    const system = await world.machineOf('system' as PlatformId, ['operator']);
    expect((await ask('', await system.token({ scope: 'manage', resource: 'https://elsewhere.example' }))).status).toBe(401);
    expect((await ask('', await system.token({ scope: 'manage', resource: 'http://localhost:4000/system/manage' }))).status).toBe(200);
    expect((await ask('', await system.token({ scope: 'audit' }))).status).toBe(403);
  });

  test('on the system platform an operator of one other platform sees what is theirs, one of all sees everything', async () => {
    const narrow = await world.machineOf('system' as PlatformId, ['operator:arlo']);
    const system = 'system' as PlatformId;
    const from = ((await ask('?after=latest', operator, system)).body as Page).next;
    const own = await world.say({ platform: system, audience: [narrow.stream] });
    const other = await world.say({ platform: system });
    const seen = async (bearer: string) => ids(((await ask(`?after=${from}`, bearer, system)).body as Page).events);
    expect(await seen(operator)).toEqual([own.id, other.id]);
    expect(await seen(await narrow.token({ scope: 'manage' }))).toEqual([own.id]);
  });

  test('a revoked grant reads nothing more, not even of its end', async () => {
    const { stream: client, clientId } = world.machine;
    const { id: account } = await world.account(world.arlo);
    const ended = await world.grant({ platform: world.arlo, client, clientId, account, scopes: ['read'] });
    expect((await ask('', ended.accessToken)).status).toBe(200);
    await world.revoke(ended.id);
    await world.say({ type: 'grant.revoked', subject: ended.id, ...ofMachine() });
    expect((await ask('', ended.accessToken)).status).toBe(401);
    expect((await page('?types=grant.revoked&limit=500', token)).events).not.toEqual([]);
  });
});
