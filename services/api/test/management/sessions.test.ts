import type { AccountId, GrantId, SessionId, SignInId } from '@grantlog/domain';
import type { NewEvent, StreamId } from '@grantlog/eventsourcing';
import { createPool } from '@grantlog/postgres';
import { type PlatformNames, sessionGrant } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { loadedSession, sessionRequests } from '../../src/sessions/load-session.ts';
import { type StartedSession, startSession } from '../../src/sessions/start-session.ts';
import { createWorld, tenantJson, type World } from './support/world.ts';

const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code';
const agent = { clientId: 'unidentified-agent', name: 'Unidentified agent', grantTypes: [deviceCode, 'refresh_token'] };
const clinic = tenantJson('clinic', {
  grantTypes: ['authorization_code', 'refresh_token', deviceCode],
  presetClients: [agent],
  agentSignUp: { unidentifiedClient: agent.clientId },
});
const from = { address: '203.0.113.7', userAgent: 'curl/9 (an agent)' };

let world: World;
let root: string;
let names: PlatformNames;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
  expect((await world.call(root, 'PUT', '/system/manage/platforms/clinic', clinic)).status).toBe(201);
  const opened = await world.deps.provisioning.directory.open('clinic' as never);
  if (opened === null) throw new Error('the clinic is not there');
  names = opened;
});
afterAll(() => world.close());

const start = (change: { readonly codeChallenge?: null } = {}): Promise<StartedSession> =>
  startSession(world.deps, names, {
    via: 'init_signup',
    clientId: agent.clientId,
    scope: 'read',
    resources: [],
    codeChallenge: 'c'.repeat(43),
    from,
    withUserCode: false,
    correlationId: 'test',
    ...change,
  });

/** The token endpoint, as the agent asks it. */
const askForTokens = async (parameters: Readonly<Record<string, string>>) => {
  const response = await world.app.inject({
    method: 'POST',
    url: '/clinic/oauth/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ client_id: agent.clientId, ...parameters }).toString(),
  });
  return { status: response.statusCode, body: response.json<Readonly<Record<string, string>>>() };
};

const append = async (
  ...writes: readonly { readonly streamId: StreamId; readonly expected: number; readonly events: readonly NewEvent[] }[]
) => {
  const result = await world.deps.log.append(names.platform, {
    commitId: crypto.randomUUID() as never,
    writes,
    reads: [],
    actor: { kind: 'system', id: 'test' },
    correlationId: 'test',
  });
  expect(result.outcome).toBe('appended');
};

const signIn = '01890000-0000-7000-8000-000000000001' as SignInId;

/** What the consent page records when the person chooses the right number. */
const link = async (id: SessionId, account: AccountId): Promise<GrantId> => {
  const session = loadedSession(await world.deps.log.load(names.platform, sessionRequests(id)), id);
  if (session === null) throw new Error('the session is not there');
  const { client, clientId, scopes, resources, expiresAt, codeChallenge, tokenKeyId, tokenNonce } = session.state.terms;
  const terms = { flow: 'device_code', client, clientId, account, session: id, signIn, scopes, resources, authTime: null, tokenNonce };
  const code = { expiresAt, redirectUri: null, redirectUriSent: false, codeChallenge, tokenKeyId, nonce: null };
  await append(
    { streamId: id, expected: 1, events: [{ type: 'session.linked', data: { account, signIn } }] },
    { streamId: sessionGrant(id), expected: 0, events: [{ type: 'grant.authorized', data: { ...terms, code, issue: null } }] },
  );
  return sessionGrant(id);
};

const at = (id: string, platform = 'clinic') => `/${platform}/manage/sessions/${id}`;

describe('a sign-up session, to operators', () => {
  test('is read as it stands, with where it came from and without what its tokens are made from', async () => {
    const session = await start();
    const read = await world.call(root, 'GET', at(session.id));
    expect(read).toMatchObject({
      status: 200,
      body: {
        sessionId: session.id,
        status: 'pending',
        recorded: 'pending',
        reason: null,
        standing: 'good',
        via: 'init_signup',
        clientId: agent.clientId,
        account: null,
        grantId: null,
        scopes: ['read'],
        hasCodeChallenge: true,
        webhookEndpoints: [],
        from,
        linkedAt: null,
        endedAt: null,
      },
    });
    for (const secret of [session.sessionId, session.link, 'c'.repeat(43), 'Nonce', 'tokenKeyId']) expect(read.text).not.toContain(secret);
    expect(Date.parse(read.body['expiresAt'] as string) - Date.parse(read.body['startedAt'] as string)).toBeLessThanOrEqual(900_000);
  });

  test('is complete when somebody has linked it, and names the account and the grant', async () => {
    const session = await start();
    const person = await world.account(names.platform);
    const grantId = await link(session.id, person.id);
    expect((await world.call(root, 'GET', at(session.id))).body).toMatchObject({
      status: 'complete',
      recorded: 'linked',
      account: person.id,
      grantId,
    });
    await world.call(root, 'POST', `/clinic/manage/accounts/${person.id}/disable`);
    expect((await world.call(root, 'GET', at(session.id))).body).toMatchObject({ status: 'revoked', standing: 'account_disabled' });
  });

  test('goes on after an end of everything that the account had before it linked the session', async () => {
    const session = await start();
    const person = await world.account(names.platform);
    await world.call(root, 'POST', `/clinic/manage/accounts/${person.id}/revoke-grants`);
    await link(session.id, person.id);
    expect((await world.call(root, 'GET', at(session.id))).body).toMatchObject({ status: 'complete', standing: 'good' });
    await world.call(root, 'POST', `/clinic/manage/accounts/${person.id}/revoke-grants`);
    expect((await world.call(root, 'GET', at(session.id))).body).toMatchObject({ status: 'revoked', standing: 'revoked_with_account' });
  });

  test('is not worth waiting for once its client’s sessions were all ended', async () => {
    const session = await start();
    await world.call(root, 'POST', `/clinic/manage/clients/${agent.clientId}/revoke-grants`);
    expect((await world.call(root, 'GET', at(session.id))).body).toMatchObject({
      status: 'revoked',
      recorded: 'pending',
      standing: 'revoked_with_client',
    });
  });

  test('is revoked with its grant, and again changes nothing', async () => {
    const session = await start();
    const grantId = await link(session.id, (await world.account(names.platform)).id);
    const revoked = await world.call(root, 'POST', `${at(session.id)}/revoke`);
    expect(revoked).toMatchObject({ status: 200, body: { changed: true, position: await world.head(names.platform) } });
    expect(await world.call(root, 'POST', `${at(session.id)}/revoke`)).toMatchObject({
      status: 200,
      body: { changed: false, position: revoked.body['position'] },
    });
    expect((await world.call(root, 'GET', at(session.id))).body).toMatchObject({ status: 'revoked', recorded: 'ended', reason: 'revoked' });
    expect((await world.call(root, 'GET', `/clinic/manage/grants/${grantId}`)).body).toMatchObject({
      status: 'ended',
      reason: 'by_operator',
    });
    const { rows } = await world.deps.pool.query(
      `select distinct actor->>'kind' as kind from event where platform = 'clinic' and stream_id = any($1) and type like '%.revoked'`,
      [[session.id, grantId]],
    );
    expect(rows).toEqual([{ kind: 'operator' }]);
  });

  test('leaves no token alive even where its end was recorded and that of its grant was not', async () => {
    const session = await start({ codeChallenge: null });
    const grantId = await link(session.id, (await world.account(names.platform)).id);
    const redeemed = await askForTokens({ grant_type: deviceCode, device_code: session.sessionId });
    expect(redeemed.status).toBe(200);
    const { access_token: access = '', refresh_token: refresh = '' } = redeemed.body;
    expect((await world.call(access, 'GET', '/clinic/oauth/userinfo')).status).not.toBe(401);

    await append({ streamId: session.id, expected: 3, events: [{ type: 'session.revoked', data: { reason: 'by_operator', by: null } }] });
    expect((await world.call(access, 'GET', '/clinic/oauth/userinfo')).status).toBe(401);
    expect(await askForTokens({ grant_type: 'refresh_token', refresh_token: refresh })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect((await world.call(root, 'GET', `/clinic/manage/grants/${grantId}`)).body).toMatchObject({
      status: 'active',
      standing: 'session_ended',
    });
    expect(await world.call(root, 'POST', `${at(session.id)}/revoke`)).toMatchObject({ status: 200, body: { changed: true } });
    expect((await world.call(root, 'GET', `/clinic/manage/grants/${grantId}`)).body).toMatchObject({ status: 'ended' });
  });

  test('is unknown on another platform, by the id of its grant, and by what its agent calls it', async () => {
    const session = await start();
    const grantId = await link(session.id, (await world.account(names.platform)).id);
    for (const path of [at(session.id, 'arlo'), at(grantId), at(session.sessionId), at(session.link), at('nothing')]) {
      expect(await world.call(root, 'GET', path)).toMatchObject({ status: 404, body: { code: 'unknown_session' } });
      expect(await world.call(root, 'POST', `${path}/revoke`)).toMatchObject({ status: 404, body: { code: 'unknown_session' } });
    }
    expect((await world.call(root, 'GET', at(session.id))).body).toMatchObject({ status: 'complete' });
  });

  test('is shown to operators of its platform alone', async () => {
    const session = await start();
    const elsewhere = await world.operator('operator:arlo');
    expect(await world.call(elsewhere, 'GET', at(session.id))).toMatchObject({ status: 403 });
    expect(await world.call(elsewhere, 'POST', `${at(session.id)}/revoke`)).toMatchObject({ status: 403 });
    expect(await world.call(null, 'POST', `${at(session.id)}/revoke`)).toMatchObject({ status: 401 });
    expect((await world.call(root, 'GET', at(session.id))).body).toMatchObject({ status: 'pending' });
  });

  test('says that its beginning is erased where its key was destroyed', async () => {
    const session = await start();
    const worker = createPool({ connectionString: world.databaseUrl, role: 'grantlog_worker', max: 1 });
    const deleted = await worker.query('delete from data_key where platform = $1 and subject = $2', [names.platform, session.id]);
    await worker.end();
    expect(deleted.rowCount).toBe(1);
    expect((await world.call(root, 'GET', at(session.id))).body).toMatchObject({ status: 'pending', from: 'erased' });
  });
});

describe('a document whose preset clients do not fit the clients that stand', () => {
  const put = (presetClients: readonly object[]) =>
    world.call(root, 'PUT', '/system/manage/platforms/clinic', { ...clinic, presetClients: [agent, ...presetClients] });

  test.each([
    [
      'somebody else registered',
      'names "taken", which somebody else registered',
      async () => {
        await world.call(root, 'POST', '/clinic/manage/clients', {
          clientId: 'taken',
          name: 'Taken',
          kind: 'public',
          redirectUris: ['https://taken.example/cb'],
          grantTypes: ['authorization_code'],
        });
        return { clientId: 'taken', name: 'Mine', redirectUris: ['https://mine.example/cb'] };
      },
    ],
    [
      'was deleted before',
      'names "gone", which was deleted',
      async () => {
        const gone = { clientId: 'gone', name: 'Gone', redirectUris: ['https://gone.example/cb'] };
        await put([gone]);
        await world.call(root, 'DELETE', '/clinic/manage/clients/gone');
        await put([]);
        return gone;
      },
    ],
    [
      'is of another type',
      'names "typed", whose type was another',
      async () => {
        const typed = { clientId: 'typed', name: 'Typed', redirectUris: ['https://typed.example/cb'] };
        await put([typed]);
        return { ...typed, type: 'confidential' };
      },
    ],
  ])('is refused with the name of the client that %s', async (_, problem, prepare) => {
    const preset = await prepare();
    const before = await world.head(names.platform);
    const refused = await put([preset]);
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ path: 'presetClients' }] } });
    expect(refused.body['detail']).toContain(problem);
    expect(await world.head(names.platform)).toBe(before);
  });
});
