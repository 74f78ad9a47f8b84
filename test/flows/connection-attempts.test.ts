import { createFormBrowser } from '@grantlog/cli';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Along, callback, startAlong } from '../reference/along/support/along.ts';
import { basic, pkce, post } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import { createVisitor } from '../support/visitor.ts';
import type { TestAccount } from '../support/workbench.ts';

/** How clients tried to connect, as an operator reads it. */
let along: Along;
let account: TestAccount;
let operator: Awaited<ReturnType<Along['operator']>>;

beforeAll(async () => {
  along = await startAlong(inject('databaseUrl'));
  account = await along.account();
  operator = await along.operator();
});
afterAll(() => along.stop());

type Step = {
  readonly step: string;
  readonly outcome: string;
  readonly error: string | null;
  readonly request: string;
  readonly grantId: string | null;
};
type Attempt = {
  readonly attempt: string;
  readonly clientId: string;
  readonly grantId: string | null;
  readonly status: string;
  readonly step: string | null;
  readonly problem: string | null;
  readonly fix: string | null;
  readonly steps: readonly Step[];
};

const attemptsOf = async (query: string): Promise<readonly Attempt[]> =>
  (await operator.call('GET', `/along/manage/connection-attempts?${query}`))['attempts'] as readonly Attempt[];
/** The latest attempt of a client, once it has this step. Steps are kept a moment after they happened. */
const attemptWith = (clientId: string, step: string, outcome = 'ok'): Promise<Attempt> =>
  eventually(`the step ${step} of ${clientId}`, async () => {
    const [attempt] = await attemptsOf(`clientId=${encodeURIComponent(clientId)}`);
    return attempt?.steps.some((each) => each.step === step && each.outcome === outcome) === true ? attempt : null;
  });
const listTools = (token: string) =>
  fetch(along.mcp, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${token}` },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  });

describe('an attempt to connect', () => {
  test('is told from the look at the metadata to the first use, and its ids are those of the log', async () => {
    await fetch(`${along.deployment.publicUrl}/.well-known/oauth-authorization-server/along`);
    const client = await along.newClient();
    const code = await along.code(client, account);
    const tokens = await along.redeem(client, code);
    expect((await listTools(String(tokens.body['access_token']))).status).toBe(200);
    const attempt = await attemptWith(client, 'first_use');
    expect(attempt).toMatchObject({ clientId: client, status: 'connected', step: null, problem: null, fix: null });
    expect(attempt.steps.map(({ step }) => step).slice(-5)).toEqual(['registration', 'authorize', 'consent', 'token', 'first_use']);
    const { grantId } = attempt;
    expect(await operator.call('GET', `/along/manage/grants/${grantId}`)).toMatchObject({ clientId: client, status: 'active' });
    expect(await attemptsOf(`grantId=${grantId}`)).toMatchObject([{ attempt: attempt.attempt, status: 'connected' }]);
    // The server keeps the client's first use once, however often it comes.
    await listTools(String(tokens.body['access_token']));
    expect((await attemptWith(client, 'first_use')).steps.filter(({ step }) => step === 'first_use')).toHaveLength(1);
  });

  test('says in which step it failed, in the words that the client got, and what to do', async () => {
    const client = await along.newClient();
    const code = await along.code(client, account);
    await along.redeem(client, { ...code, verifier: pkce().verifier });
    expect(await attemptWith(client, 'token', 'refused')).toMatchObject({
      status: 'failed',
      step: 'token',
      problem: 'code_verifier does not match the code_challenge',
      fix: expect.stringContaining('verifier'),
    });
  });

  test('that a person refused says so', async () => {
    const client = await along.newClient();
    const browser = createFormBrowser();
    const signIn = await browser.open(along.authorizeUrl(client, pkce().challenge));
    const consent = await browser.submit(signIn, { email: account.email, password: account.password });
    await browser.submit(consent, { decision: 'deny' });
    expect(await attemptWith(client, 'consent', 'refused')).toMatchObject({
      status: 'failed',
      step: 'consent',
      fix: expect.stringContaining('said no'),
    });
  });

  test('of a client that nobody knows is found by its id, at the page and at the token endpoint', async () => {
    const unknown = `gone-${crypto.randomUUID().slice(0, 13)}`;
    await createVisitor(null).open(along.authorizeUrl(unknown, pkce().challenge));
    expect(await attemptWith(unknown, 'authorize', 'refused')).toMatchObject({ status: 'failed', step: 'authorize' });
    await along.token({ grant_type: 'refresh_token', client_id: unknown, refresh_token: 'avo_rnothing' });
    const attempts = await eventually('the refusal at the token endpoint', async () => {
      const found = await attemptsOf(`clientId=${unknown}&status=failed`);
      return found.length === 2 ? found : null;
    });
    expect(attempts[0]).toMatchObject({ step: 'token', fix: expect.stringContaining('register again') });
  });

  test('that ended with its registration is there by itself', async () => {
    await along.register({ client_name: 'Crooked', redirect_uris: ['javascript:alert(1)'] });
    const [attempt] = await eventually('the refused registration', async () => {
      const found = await attemptsOf('status=failed&limit=100');
      const own = found.filter(({ step, steps }) => step === 'registration' && steps.at(-1)?.error === 'invalid_redirect_uri');
      return own.length > 0 ? own : null;
    });
    expect(attempt).toMatchObject({ status: 'failed', problem: expect.stringContaining('javascript') });
  });

  test('is in pages, each beginning where the last one ended', async () => {
    const clients = [await along.newClient(), await along.newClient(), await along.newClient()];
    for (const client of clients) await createVisitor(null).open(along.authorizeUrl(client, pkce().challenge));
    await attemptWith(clients[2] ?? '', 'authorize');
    const first = await operator.call('GET', '/along/manage/connection-attempts?limit=2');
    const second = await operator.call('GET', `/along/manage/connection-attempts?limit=2&before=${String(first['next'])}`);
    const ids = [first, second].flatMap((page) => (page['attempts'] as readonly Attempt[]).map(({ attempt }) => attempt));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('what is kept of attempts', () => {
  test('is for operators of that platform alone', async () => {
    const client = await along.newClient();
    await attemptWith(client, 'registration');
    expect(await operator.call('GET', `/arlo/manage/connection-attempts?clientId=${client}`)).toEqual({ attempts: [], next: null });
    for (const headers of [{}, { authorization: 'Bearer avo_axxx' }] as readonly Record<string, string>[])
      expect((await fetch(`${along.deployment.publicUrl}/along/manage/connection-attempts`, { headers })).status).toBe(401);
    const { client: machine } = along.deployment.demo.operator;
    const other = await post(
      `${along.deployment.publicUrl}/system/oauth/token`,
      { grant_type: 'client_credentials' },
      { authorization: basic(machine) },
    );
    const bare = await fetch(`${along.deployment.publicUrl}/along/manage/connection-attempts`, {
      headers: { authorization: `Bearer ${String(other.body['access_token'] ?? 'none')}` },
    });
    expect([401, 403]).toContain(bare.status);
  });

  test('holds no code, no token and no address', async () => {
    const client = await along.newClient();
    const code = await along.code(client, account, { redirect_uri: callback });
    const tokens = await along.redeem(client, code);
    await along.refresh(client, String(tokens.body['refresh_token']));
    await along.refresh(client, String(tokens.body['refresh_token']));
    await attemptWith(client, 'token', 'refused');
    const { rows } = await along.bench.context.pool.query<{ readonly row: string }>(
      'select connection_step::text as row from connection_step',
    );
    const kept = rows.map(({ row }) => row).join('\n');
    expect(kept).toContain(client);
    for (const secret of [code.code, code.verifier, tokens.body['access_token'], tokens.body['refresh_token'], account.email, '127.0.0.1'])
      expect(kept).not.toContain(String(secret));
  });
});
