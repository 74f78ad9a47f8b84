import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, createWorld, tenantJson, type World } from '../management/support/world.ts';

const url = 'http://127.0.0.1:9000/hook?key=of-theirs';

let world: World;
let root: string;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
});
afterAll(() => world.close());

const collection = '/arlo/webhooks/endpoints';
type Caller = { readonly token: string; readonly clientId: string; readonly stream: string; readonly grant: string | null };

/** A client that acts by itself, and a person's grant to it. */
const agent = async (platform: PlatformId = world.arlo) => {
  const machine = await world.machine([], { platform });
  const person = await world.account(platform);
  const of = { platform, client: machine.stream, clientId: machine.clientId, scopes: ['read'] };
  const grant = async (more: { readonly resource?: string } = {}): Promise<Caller & { readonly grant: string }> => {
    const granted = await world.grant({ ...of, account: person.id, ...more });
    return { token: granted.accessToken, clientId: machine.clientId, stream: machine.stream, grant: granted.id };
  };
  const itself: Caller = { token: await machine.token({ scope: 'read' }), clientId: machine.clientId, stream: machine.stream, grant: null };
  return { itself, grant, of, person };
};
const call = (caller: Caller, method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', at: string, body?: unknown): Promise<Answer> =>
  world.call(caller.token, method, at, body);
const register = async (caller: Caller, more: object = {}) => {
  const { status, body, headers, text } = await call(caller, 'POST', collection, { url, ...more });
  if (status !== 201) throw new Error(text);
  expect(headers['location']).toBe(`${collection}/${body['endpointId']}`);
  return { id: String(body['endpointId']), at: `${collection}/${body['endpointId']}`, body };
};
const listed = async (caller: Caller): Promise<readonly unknown[]> =>
  ((await call(caller, 'GET', collection)).body['endpoints'] as readonly { readonly endpointId: string }[]).map(
    ({ endpointId }) => endpointId,
  );

/** Everything that can be asked of one endpoint. */
const asked = [
  ['GET', '', undefined],
  ['PATCH', '', { ordered: true }],
  ['PATCH', '', { url: 'http://127.0.0.1:9001/' }],
  ['POST', '/secret', {}],
  ['POST', '/webhook-token', { webhookToken: 'a-token' }],
  ['PUT', '/headers', { 'x-key': 'k' }],
  ['POST', '/test', undefined],
  ['POST', '/disable', undefined],
  ['POST', '/enable', undefined],
  ['DELETE', '', undefined],
] as const;

describe('an agent', () => {
  test('manages the endpoints of its client by its own token, from the registration to the end', async () => {
    const { itself } = await agent();
    const endpoint = await register(itself, {
      description: 'Mine',
      webhookToken: 'a-webhook-token-4Gk',
      headers: { 'X-Key': 'a-key-of-5Hv' },
    });
    expect(endpoint.body).toMatchObject({ signature: 'v1', secret: expect.stringMatching(/^whsec_/) });
    const read = await call(itself, 'GET', endpoint.at);
    expect(read.body).toMatchObject({
      endpointId: endpoint.id,
      url: 'http://127.0.0.1:9000/hook?…',
      clientStream: itself.stream,
      grants: null,
      registeredBy: 'client',
      concurrency: 8,
      hasWebhookToken: true,
      headers: ['X-Key'],
      status: 'active',
    });
    expect(await listed(itself)).toEqual([endpoint.id]);
    for (const [method, path, body] of asked)
      expect([path, (await call(itself, method, endpoint.at + path, body)).status]).toEqual([path, path === '/test' ? 202 : 200]);
    expect(await listed(itself)).toEqual([]);
    for (const [method, path, body] of asked)
      expect([path, await call(itself, method, endpoint.at + path, body)]).toMatchObject([path, { status: 404 }]);
    const everything = read.text + (await world.everything());
    for (const secret of ['a-webhook-token-4Gk', 'a-key-of-5Hv', String(endpoint.body['secret'])]) expect(everything).not.toContain(secret);
  });

  test('narrows an endpoint to grants of its client, which the log knows, and names no other client', async () => {
    const [{ itself, grant }, stranger] = [await agent(), await agent()];
    const [one, two, theirs] = [await grant(), await grant(), await stranger.grant()];
    const { at } = await register(itself, { grants: [one.grant, two.grant] });
    expect((await call(itself, 'GET', at)).body).toMatchObject({ grants: [one.grant, two.grant], registeredBy: 'client' });
    for (const grants of [[theirs.grant], [one.grant, theirs.grant], [stranger.itself.stream], ['nonsense']])
      expect(await call(itself, 'POST', collection, { url, grants })).toMatchObject({ status: 422, body: { code: 'grants_unknown' } });
    expect(await call(itself, 'POST', collection, { url, clientId: stranger.itself.clientId })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'clientId' }] },
    });
  });

  test('manages by the token of a person what hears that grant alone', async () => {
    const { grant, itself } = await agent();
    const [mine, sibling] = [await grant(), await grant()];
    const endpoint = await register(mine);
    expect((await call(mine, 'GET', endpoint.at)).body).toMatchObject({
      clientStream: mine.stream,
      grants: [mine.grant],
      registeredBy: 'grant',
    });
    expect(await listed(mine)).toEqual([endpoint.id]);
    for (const other of [sibling, itself]) {
      expect(await listed(other)).toEqual([]);
      for (const [method, path, body] of asked)
        expect([path, await call(other, method, endpoint.at + path, body)]).toMatchObject([
          path,
          { status: 404, body: { code: 'unknown_endpoint' } },
        ]);
    }
    expect(await call(mine, 'POST', collection, { url, grants: [sibling.grant] })).toMatchObject({
      status: 422,
      body: { code: 'grants_unknown' },
    });
    expect((await call(mine, 'GET', endpoint.at)).body['status']).toBe('active');
  });

  test('may have as many as its limit, and one more for each that it deletes', async () => {
    const { grant } = await agent();
    const mine = await grant();
    const made = [];
    for (let nth = 0; nth < 5; nth += 1) made.push(await register(mine));
    expect(await call(mine, 'POST', collection, { url })).toMatchObject({ status: 409, body: { code: 'too_many_endpoints' } });
    expect((await call(mine, 'DELETE', String(made[2]?.at))).status).toBe(200);
    await register(mine);
    expect((await call(mine, 'POST', collection, { url })).status).toBe(409);
  });
});

describe('what is not the caller’s', () => {
  test('is 404 whatever is asked of it: an operator’s, another client’s, another platform’s, a session’s, of another kind', async () => {
    const [{ itself, grant }, stranger, elsewhere] = [await agent(), await agent(), await agent(world.along)];
    const mine = await grant();
    const manage = '/arlo/manage/webhook-endpoints';
    const byOperator = async (body: object): Promise<string> => {
      const { status, body: made } = await world.call(root, 'POST', manage, { url, ...body });
      expect(status).toBe(201);
      return String(made['endpointId']);
    };
    const session = '00000000-0006-8000-8000-0000000000aa';
    await world.append(world.arlo, session as never, {
      type: 'webhook_endpoint.registered',
      data: {
        url,
        types: null,
        ordered: false,
        concurrency: 4,
        description: '',
        client: mine.stream,
        session: crypto.randomUUID(),
        secretCredentials: ['none'],
        signature: 'v1',
      },
    });
    const foreign = [
      await byOperator({ clientId: mine.clientId }),
      await byOperator({ clientId: mine.clientId, grants: [mine.grant] }),
      await byOperator({}),
      (await register(stranger.itself)).id,
      (await register(await stranger.grant())).id,
      session,
      mine.stream,
      mine.grant,
      'nonsense',
    ];
    for (const caller of [itself, mine]) {
      for (const id of foreign) {
        for (const [method, path, body] of asked)
          expect([id, path, await call(caller, method, `${collection}/${id}${path}`, body)]).toMatchObject([
            id,
            path,
            { status: 404, body: { code: 'unknown_endpoint' } },
          ]);
      }
      expect(await listed(caller)).toEqual([]);
    }
    // Each on its own platform, by the id or by the token of the other.
    const own = await register(itself);
    for (const [method, path, body] of asked) {
      expect((await call(elsewhere.itself, method, `/along/webhooks/endpoints/${own.id}${path}`, body)).status).toBe(404);
      expect((await call(elsewhere.itself, method, own.at + path, body)).status).toBe(401);
    }
    expect((await call(itself, 'GET', own.at)).body).toMatchObject({ status: 'active', ordered: false });
  });

  test('is an agent’s for operators, too, who see and delete it', async () => {
    const { itself } = await agent();
    const { id } = await register(itself);
    const at = `/arlo/manage/webhook-endpoints/${id}`;
    expect((await world.call(root, 'GET', at)).body).toMatchObject({ registeredBy: 'client', clientStream: itself.stream });
    expect((await world.call(root, 'DELETE', at)).status).toBe(200);
    expect((await call(itself, 'GET', `${collection}/${id}`)).status).toBe(404);
    expect(await listed(itself)).toEqual([]);
  });
});

describe('the door', () => {
  test('takes tokens without a resource or for this server, and no other', async () => {
    const { grant } = await agent();
    for (const [resource, status] of [
      ['http://localhost:4000/arlo', 200],
      ['https://arlo.example/api', 401],
      ['http://localhost:4000/along', 401],
      ['http://localhost:4000', 401],
      ['http://localhost:4000/arlo/account', 401],
    ] as const)
      expect([resource, (await call(await grant({ resource }), 'GET', collection)).status]).toEqual([resource, status]);
  });

  test('takes no refresh token, no dead one and none of an ended grant, before it reads a body', async () => {
    const { of, person, grant } = await agent();
    const { refreshToken } = await world.grant({ ...of, account: person.id });
    const ended = await grant();
    expect((await world.call(root, 'POST', `/arlo/manage/grants/${ended.grant}/revoke`)).status).toBe(200);
    for (const token of [refreshToken, 'nonsense', ended.token]) {
      const { status, headers, body } = await world.call(token, 'POST', collection, 'no JSON at all');
      expect([status, body['code']]).toEqual([401, 'invalid_token']);
      expect(headers['www-authenticate']).toMatch(/^Bearer .*error="invalid_token"/);
    }
    expect((await world.call(null, 'GET', collection)).headers['www-authenticate']).toBe('Bearer realm="arlo"');
  });
});

describe('the url that an agent names', () => {
  test.each([
    'https://10.0.0.1/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://169.254.169.254/',
    'https://localhost/',
    'https://1.1.1.1:22/',
  ])('is not %s', async (hostile) => {
    await world.deps.provisioning.directory.open(world.along);
    const { itself } = await agent(world.along);
    const at = '/along/webhooks/endpoints';
    expect(await call(itself, 'POST', at, { url: hostile })).toMatchObject({ status: 422, body: { code: 'url_unreachable' } });
    const made = await call(itself, 'POST', at, { url: 'https://1.1.1.1/hook' });
    expect(made.status).toBe(201);
    const one = `${at}/${made.body['endpointId']}`;
    expect(await call(itself, 'PATCH', one, { url: hostile })).toMatchObject({ status: 422, body: { code: 'url_unreachable' } });
    expect((await call(itself, 'GET', one)).body['url']).toBe('https://1.1.1.1/hook');
  });

  test('gets neither token nor headers of the one before', async () => {
    const { itself } = await agent();
    const { at } = await register(itself, { webhookToken: 'a-token', headers: { 'x-key': 'k' } });
    await call(itself, 'PATCH', at, { url: 'http://127.0.0.1:9001/of-a-thief' });
    expect((await call(itself, 'GET', at)).body).toMatchObject({ hasWebhookToken: false, headers: [], verified: false });
  });

  test('is named so often by one address, and then not for a while', async () => {
    await world.call(root, 'PUT', '/system/manage/platforms/flooded', tenantJson('flooded', { webhooks: { allowLoopback: true } }));
    const { itself } = await agent('flooded' as PlatformId);
    const answers: Answer[] = [];
    for (let nth = 0; nth < 105; nth += 1) answers.push(await call(itself, 'POST', '/flooded/webhooks/endpoints', { url }));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused[0]?.body).toMatchObject({ code: 'too_many_requests', detail: expect.stringContaining('Retry-After') });
  });
});
