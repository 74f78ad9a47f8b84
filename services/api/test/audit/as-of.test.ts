import type { PlatformId } from '@grantlog/eventsourcing';
import { changeAccount, changeClient, eraseAccount, revokeGrant } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createWorld, type Json, type World } from '../management/support/world.ts';

const by = { actor: { kind: 'operator', id: 'somebody' }, correlationId: 'test' } as const;

let world: World;
let auditor: string;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  auditor = await (await world.machine(['auditor:arlo'])).token({ scope: 'audit' });
});
afterAll(() => world.close());

const makeGrant = async (platform: PlatformId = world.arlo) => {
  const client = await world.machine([], { platform });
  const person = await world.account(platform);
  const grant = await world.grant({ platform, client: client.stream, clientId: client.clientId, account: person.id, scopes: ['read'] });
  return { ...grant, client, person };
};
const ask = (path: string, token: string | null = auditor) => world.call(token, 'GET', `/arlo/audit/${path}`);
const reads = async (): Promise<readonly Json[]> => {
  const { rows } = await world.deps.pool.query<{ data: Json; actor: Json }>(
    `select data, actor from event where type = 'audit.read' order by position`,
  );
  return rows.map(({ data, actor }) => ({ ...data, by: actor['kind'] }));
};

describe('a grant as it was', () => {
  test('is what it allowed then, whether it could act, and the events that made it so', async () => {
    const grant = await makeGrant();
    const { arlo: platform, deps } = world;
    const before = await world.head(platform);
    await changeClient(deps.provisioning, by, { platform, clientId: grant.client.clientId, command: { type: 'disable', reason: 'abuse' } });
    const disabled = await world.head(platform);
    await changeClient(deps.provisioning, by, { platform, clientId: grant.client.clientId, command: { type: 'enable' } });
    await revokeGrant(deps.provisioning, by, { platform, grant: grant.id });
    const ended = await world.head(platform);
    const standing = async (at: number) => {
      const { status, body } = await ask(`grants/${grant.id}?at=${at}`);
      expect(status).toBe(200);
      const { grant: found, events, at: moment } = body as { readonly grant: Json; readonly events: readonly Json[]; readonly at: Json };
      expect(moment['position']).toBe(at);
      return [found['status'], found['standing'], found['scopes'], events.map(({ type }) => type)];
    };
    expect(await standing(before)).toEqual(['active', 'good', ['read'], ['grant.authorized']]);
    expect(await standing(disabled)).toEqual(['active', 'client_disabled', ['read'], ['grant.authorized']]);
    expect(await standing(ended)).toEqual(['ended', 'good', ['read'], ['grant.authorized', 'grant.revoked']]);
    expect((await ask(`grants/${grant.id}?at=${grant.position - 1}`)).body).toMatchObject({ status: 404, code: 'unknown_grant' });
  });

  test('is asked for by a time as well, with any zone', async () => {
    const grant = await makeGrant();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const then = new Date();
    await new Promise((resolve) => setTimeout(resolve, 30));
    await revokeGrant(world.deps.provisioning, by, { platform: world.arlo, grant: grant.id });
    for (const at of [then.toISOString(), then.toISOString().replace('Z', '+00:00')]) {
      const { body } = await ask(`grants/${grant.id}?at=${encodeURIComponent(at)}`);
      expect(body).toMatchObject({ grant: { status: 'active' }, at: { time: then.toISOString() } });
    }
    expect((await ask(`grants/${grant.id}`)).body).toMatchObject({ grant: { status: 'ended', reason: 'by_operator' } });
  });

  test.each([
    ['yesterday', 422, 'unreadable_moment'],
    ['2026-11-07T14:03', 422, 'unreadable_moment'],
    ['2026-13-07T14:03:00Z', 422, 'unreadable_moment'],
    ['-1', 422, 'unreadable_moment'],
    ['999999999', 422, 'moment_to_come'],
    ['2999-01-01T00:00:00Z', 422, 'moment_to_come'],
  ])('at %s is refused with what to write instead', async (at, status, code) => {
    const grant = await makeGrant();
    expect((await ask(`grants/${grant.id}?at=${encodeURIComponent(at)}`)).body).toMatchObject({ status, code });
  });

  test('shows nothing that its tokens are made from', async () => {
    const grant = await makeGrant();
    const { text } = await ask(`grants/${grant.id}`);
    for (const secret of [grant.terms.tokenNonce, grant.accessToken, grant.refreshToken]) expect(text).not.toContain(secret);
  });
});

describe('a client and an account as they were', () => {
  test('are told as of each change', async () => {
    const { arlo: platform, deps } = world;
    const { client, person } = await makeGrant();
    const first = await world.head(platform);
    await changeClient(deps.provisioning, by, { platform, clientId: client.clientId, command: { type: 'delete' } });
    await changeAccount(deps.provisioning, by, { platform, account: person.id, command: { type: 'assignRoles', roles: ['member'] } });
    const second = await world.head(platform);
    await eraseAccount(deps.provisioning, by, { platform, account: person.id });
    expect((await ask(`clients/${client.clientId}?at=${first}`)).body).toMatchObject({ client: { status: 'active' } });
    expect((await ask(`clients/${client.clientId}?at=${second}`)).body).toMatchObject({ client: { status: 'deleted' } });
    expect((await ask(`accounts/${person.id}?at=${first}`)).body).toMatchObject({ account: { status: 'active', roles: [] } });
    expect((await ask(`accounts/${person.id}?at=${second}`)).body).toMatchObject({ account: { roles: ['member'] } });
    expect((await ask(`accounts/${person.id}`)).body).toMatchObject({ account: { status: 'erased', personal: 'erased' } });
  });
});

describe('a token that is shown', () => {
  const askToken = async (token: string, at?: number | string) =>
    (await world.call(auditor, 'POST', '/arlo/audit/token', { token, ...(at === undefined ? {} : { at: String(at) }) })).body;

  test('was good from its issue to its end, whatever it is now', async () => {
    const { arlo: platform, deps } = world;
    const grant = await makeGrant();
    const issued = await world.head(platform);
    await revokeGrant(deps.provisioning, by, { platform, grant: grant.id });
    const ended = await world.head(platform);
    for (const [kind, token] of [
      ['access', grant.accessToken],
      ['refresh', grant.refreshToken],
    ] as const) {
      expect(await askToken(token, issued)).toMatchObject({ isGood: true, kind, scopes: ['read'], grant: { grantId: grant.id } });
      expect(await askToken(token, grant.position - 1)).toMatchObject({ isGood: false, reason: 'the grant is none' });
      expect(await askToken(token, ended)).toMatchObject({ isGood: false, reason: 'the grant is ended' });
      expect(await askToken(token)).toMatchObject({ isGood: false, grant: null });
    }
    const at = grant.accessToken.length - 12;
    const forged = `${grant.accessToken.slice(0, at)}${grant.accessToken[at] === 'A' ? 'B' : 'A'}${grant.accessToken.slice(at + 1)}`;
    expect(await askToken(forged, issued)).toMatchObject({ isGood: false });
    expect(await askToken('nonsense')).toMatchObject({ isGood: false, reason: 'malformed' });
  });

  test('is kept nowhere, and of another platform says nothing', async () => {
    const [ours, theirs] = [await makeGrant(), await makeGrant(world.along)];
    expect(await askToken(theirs.accessToken)).toMatchObject({ isGood: false });
    await askToken(ours.accessToken);
    const everything = await world.everything();
    for (const token of [ours.accessToken, theirs.accessToken]) expect(everything).not.toContain(token.slice(0, 30));
  });
});

describe('who asks', () => {
  test('is on record before the answer, with what was asked and never what was answered', async () => {
    const grant = await makeGrant();
    const whose = { client: grant.client.stream, account: grant.person.id };
    const before = (await reads()).length;
    await ask(`grants/${grant.id}?at=${grant.position}`);
    await ask(`accounts/${grant.person.id}`);
    await ask(`clients/${grant.client.clientId}`);
    await world.call(auditor, 'POST', '/arlo/audit/token', { token: grant.accessToken, at: String(grant.position) });
    expect((await reads()).slice(before)).toEqual([
      { question: 'grant', about: { grant: grant.id, ...whose, at: String(grant.position) }, by: 'operator' },
      { question: 'account', about: { account: grant.person.id }, by: 'operator' },
      { question: 'client', about: { client: grant.client.stream }, by: 'operator' },
      { question: 'token', about: { grant: grant.id, ...whose, at: grant.position, time: expect.any(String) }, by: 'operator' },
    ]);
  });

  test('is an auditor or an operator of that platform, with the scope audit', async () => {
    const grant = await makeGrant();
    const path = `grants/${grant.id}`;
    const tokenOf = async (role: string, scope = 'audit') => (await world.machine([role])).token({ scope });
    for (const role of ['auditor', 'auditor:arlo', 'operator', 'operator:arlo'])
      expect([role, (await ask(path, await tokenOf(role))).status]).toEqual([role, 200]);
    expect((await ask(path, await tokenOf('auditor:along'))).body).toMatchObject({ status: 403, role: 'auditor:arlo' });
    expect((await ask(path, await tokenOf('operator', 'manage'))).status).toBe(403);
    expect((await ask(path, grant.accessToken)).status).toBe(401);
    expect((await ask(path, null)).status).toBe(401);
    expect((await world.call(await tokenOf('auditor'), 'GET', '/arlo/manage/grants')).status).toBe(403);
    expect((await world.call(await tokenOf('auditor:along'), 'GET', `/along/audit/${path}`)).body).toMatchObject({ code: 'unknown_grant' });
  });
});
