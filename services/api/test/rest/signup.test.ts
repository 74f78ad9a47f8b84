import { randomToken } from '@grantlog/crypto';
import { registerClient } from '@grantlog/provisioning';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type AgentWorld, createAgentWorld, problemOf, publicUrl } from './support/agents.ts';

let world: AgentWorld;
beforeAll(async () => {
  world = await createAgentWorld(inject('databaseUrl'));
});
beforeEach(() => world.deps.pool.query('delete from attempt_bucket'));
afterAll(() => world.close());

const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

describe('init_signup over REST', () => {
  test('gives a link for the person, a sessionId for the agent, and a number to compare', async () => {
    const answer = await world.begin();
    expect(answer).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' } });
    expect(answer.body).toEqual({
      authUrl: expect.stringMatching(new RegExp(`^${publicUrl}/arlo-health/connect/arh_l[A-Za-z0-9_-]{40,}$`)),
      sessionId: expect.stringMatching(/^arh_s[A-Za-z0-9_-]{40,}$/),
      expiresIn: 900,
      interval: 5,
      number: expect.any(Number),
      clientId: 'unidentified-agent',
      instructions: expect.stringContaining(String(answer.body['number'])),
    });
    expect(String(answer.body['authUrl'])).not.toContain(String(answer.body['sessionId']));
  });

  test('takes no credentials to begin, and keeps nothing in the clear of who asked', async () => {
    await world.begin({}, 'arlo-health');
    const everything = await world.everything();
    expect(everything).not.toContain('helpful-agent');
    expect(everything).not.toContain('127.0.0.1');
  });

  test.each([
    `${publicUrl}/arlo-health/mcp`,
    `${publicUrl}/arlo-health/mcp/`,
    `${publicUrl}/arlo-health`,
    publicUrl,
    `${publicUrl}/`,
    'HTTP://LOCALHOST:4000/arlo-health/mcp',
  ])('knows itself as %s', async (baseUrl) => {
    expect((await world.begin({ baseUrl })).status).toBe(201);
  });

  test.each([
    'https://mcp.arlohealth.ai',
    `${publicUrl}/along`,
    `${publicUrl}/arlo-health/mcp/deeper`,
    'http://localhost:4001/arlo-health/mcp',
    'http://user@localhost:4000/arlo-health/mcp',
    'arlo',
    'javascript:alert(1)',
  ])('tells an agent that means %s what baseUrl should be', async (baseUrl) => {
    expect(await world.begin({ baseUrl })).toMatchObject(
      problemOf(400, 'invalid_request', `baseUrl must be this server: ${publicUrl}/arlo-health/mcp`),
    );
  });

  test.each([
    [{ baseUrl: undefined }, 'baseUrl'],
    [{ baseURL: publicUrl }, 'baseURL'],
    [{ codeChallenge: 'short' }, 'codeChallenge'],
    [{ webhookUrl: 7 }, 'webhookUrl'],
    [{ webhookUrl: 'http://127.0.0.1:1/x', webhookToken: 'with space' }, 'webhookToken'],
    [{ webhookToken: 'secret-token-123' }, 'webhookToken is about a webhook'],
    [{ deliveryContext: { to: '+15551234567' } }, 'deliveryContext is about a webhook'],
    [{ conversationSessionKey: 'conv_xyz789' }, 'conversationSessionKey is about a webhook'],
    [{ webhookUrl: 'http://127.0.0.1:1/x', deliveryContext: { to: 'x'.repeat(5_000) } }, 'deliveryContext has more than'],
    [{ scope: 'consultations:delete' }, 'scope: '],
    [{ scope: 'openid profile email nonsense' }, 'scope: '],
    [{ clientId: 'nobody' }, 'clientId: '],
  ])('names what is wrong in %j', async (more, named) => {
    expect(await world.begin(more)).toMatchObject(problemOf(400, 'invalid_request', expect.stringContaining(named)));
  });

  test.each([
    ['https://10.0.0.1/hook', 'public address'],
    ['https://[fd00::1]/hook', 'public address'],
    ['https://169.254.169.254/latest/meta-data', 'public address'],
    ['http://agent.example/hook', 'has to be https'],
    ['https://me:secret@agent.example/hook', 'contains a user name or password'],
    ['https://agent.example:22/hook', 'may name port'],
    ['https://nowhere.invalid/hook', 'cannot be reached from here'],
    ['hook', 'is not an absolute URL'],
  ])('refuses a webhook at %s (%s)', async (webhookUrl, why) => {
    const head = await world.head(world.health);
    expect(await world.begin({ webhookUrl })).toMatchObject(problemOf(400, 'invalid_request', expect.stringContaining(why)));
    expect(await world.head(world.health)).toBe(head);
  });

  test('registers the webhook with the session, and shows its signing secret this once', async () => {
    const canary = randomToken(16);
    const answer = await world.begin({
      webhookUrl: `http://127.0.0.1:9/hook?key=${canary}`,
      webhookToken: canary,
      deliveryContext: { to: canary, channel: 'whatsapp', deliver: true },
      conversationSessionKey: `conv_${canary}`,
    });
    expect(answer).toMatchObject({
      status: 201,
      body: {
        webhook: {
          success: true,
          webhookUrl: 'http://127.0.0.1:9/hook?…',
          hasSecret: true,
          hasDeliveryContext: true,
          conversationSessionKey: `conv_${canary}`,
          created: true,
          verified: false,
          signature: 'v1',
          signingSecret: expect.stringMatching(/^whsec_/),
        },
      },
    });
    const everything = (await world.everything()).replaceAll(`/hook?key=${canary}`, '');
    expect(everything).not.toContain(canary);
  });

  test('words what the router refuses like every other fault', async () => {
    const sent = (payload: string, type: string) =>
      world.app.inject({ method: 'POST', url: '/arlo-health/rest/signup', headers: { 'content-type': type }, payload });
    for (const [status, detail, response] of [
      [400, 'not valid JSON', await sent('{"baseUrl":', 'application/json')],
      [415, 'Send JSON, with Content-Type: application/json', await sent('baseUrl=x', 'application/x-www-form-urlencoded')],
      [413, 'too large', await sent(JSON.stringify({ baseUrl: 'x'.repeat(70_000) }), 'application/json')],
    ] as const)
      expect([response.statusCode, response.json()]).toMatchObject([
        status,
        { error: 'invalid_request', detail: expect.stringContaining(detail), resolution: expect.any(String) },
      ]);
  });

  test('asks for a code challenge where the platform requires one', async () => {
    const strict = await world.open('strict', { agentSignUp: { unidentifiedClient: 'unidentified-agent', codeChallengeRequired: true } });
    expect(await world.begin({}, strict)).toMatchObject(
      problemOf(400, 'invalid_request', expect.stringContaining('codeChallenge is required')),
    );
    expect((await world.begin({ codeChallenge: challenge }, strict)).status).toBe(201);
  });

  test('begins for a client of its own, and not for one without the device grant or with a secret to prove itself by', async () => {
    const client = (
      grantTypes: readonly ('refresh_token' | 'urn:ietf:params:oauth:grant-type:device_code')[],
      kind: 'public' | 'confidential' = 'public',
    ) =>
      registerClient(
        world.deps.provisioning,
        { actor: { kind: 'system', id: 'test' }, correlationId: 'test' },
        {
          platform: world.health,
          clientId: null,
          name: 'My agent',
          kind,
          how: 'portal',
          redirectUris: [],
          grantTypes,
          scopes: null,
          authMethods: null,
          idTokenAlg: null,
          serves: [],
          roles: [],
          approval: 'approved',
          secret: null,
        },
      );
    const device = 'urn:ietf:params:oauth:grant-type:device_code';
    const [mine, other, secret] = [await client([device]), await client(['refresh_token']), await client([device], 'confidential')];
    if ('refusal' in mine || 'refusal' in other || 'refusal' in secret) throw new Error('not registered');
    expect(await world.begin({ clientId: mine.clientId })).toMatchObject({ status: 201, body: { clientId: mine.clientId } });
    expect(await world.begin({ clientId: other.clientId })).toMatchObject(
      problemOf(400, 'invalid_request', expect.stringContaining('clientId: The client is not registered for')),
    );
    expect(await world.begin({ clientId: secret.clientId })).toMatchObject(
      problemOf(400, 'invalid_request', expect.stringContaining('begins at the device authorization endpoint')),
    );
  });

  test('lets one address begin only so many', async () => {
    const answers = [];
    for (let count = 0; count < 130 && answers.at(-1)?.status !== 429; count += 1) answers.push(await world.begin());
    const last = answers.at(-1);
    expect(last).toMatchObject(problemOf(429, 'rate_limited', 'Too many sign-ups and webhooks from this address'));
    expect(Number(last?.headers['retry-after'])).toBeGreaterThan(0);
    expect(last?.body['retry_after']).toBe(Number(last?.headers['retry-after']));
  });

  test('asks agents to wait while the platform is suspended, and to throw nothing away', async () => {
    const closed = await world.open('closed');
    const { token, sessionId } = await world.connected({}, closed);
    await world.call(await world.operator('operator'), 'POST', `/system/manage/platforms/${closed}/suspend`);
    for (const answer of [
      await world.begin({}, closed),
      await world.rest('GET', '/account-status', { at: closed, token }),
      await world.rest('POST', '/signup/status', { at: closed, body: { sessionId } }),
    ])
      expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
  });

  test('is not there on a platform without agents', async () => {
    for (const [method, path] of [
      ['POST', '/signup'],
      ['POST', '/signup/status'],
      ['GET', '/signup/x'],
      ['GET', '/account-status'],
      ['POST', '/webhook'],
      ['GET', '/webhook'],
      ['DELETE', '/session'],
    ] as const)
      expect(await world.rest(method, path, { at: 'along', body: method === 'GET' ? undefined : {} } as never), path).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
  });
});

test('reaches no loopback in production, also where the platform allows it for development', async () => {
  const production = await createAgentWorld(inject('databaseUrl'), { isDevelopment: false });
  try {
    for (const webhookUrl of ['http://127.0.0.1:9/hook', 'https://localhost/hook', 'https://[::1]/hook'])
      expect(await production.begin({ webhookUrl })).toMatchObject(
        problemOf(400, 'invalid_request', expect.stringContaining('webhookUrl')),
      );
    expect((await production.begin()).status).toBe(201);
  } finally {
    await production.close();
  }
});
