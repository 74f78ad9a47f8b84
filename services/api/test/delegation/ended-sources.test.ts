import { platformStream, tokenExchangeGrant } from '@grantlog/domain';
import { revokeGrant } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { by } from '../sessions/support/devices.ts';
import { calendar, type Delegates, files, mail, openDelegates, type Party } from './support/delegates.ts';

let delegates: Delegates;
let root: string;
beforeAll(async () => {
  delegates = await openDelegates(inject('databaseUrl'));
  root = await delegates.world.operator('operator');
});
afterAll(() => delegates.world.close());

type Chain = Awaited<ReturnType<typeof chain>>;

/** A person allowed an assistant the calendar; its server goes to the mail for them, and the mail's server to the files. */
const chain = async () => {
  const assistant = await delegates.client({
    grantTypes: ['authorization_code', 'refresh_token', tokenExchangeGrant],
    redirectUris: ['https://assistant.example/cb'],
  });
  const calendarServer = await delegates.client({ serves: [calendar] });
  const mailServer = await delegates.client({ serves: [mail] });
  const filesServer = await delegates.client({ serves: [files] });
  const account = await delegates.person();
  const first = await delegates.allow({ to: assistant, account, resources: [calendar, mail, files], context: 'safe-1' });
  const second = await delegates.passOnTo(calendarServer, first.token, [mail, files]);
  const third = await delegates.passOn(mailServer, second, { resource: files, scope: 'openid read' });
  const { grant_id: grantId } = await delegates.introspect(filesServer, third);
  return { assistant, calendarServer, mailServer, filesServer, account, first, second, third, grantId: String(grantId) };
};

const standingOf = async (grantId: string): Promise<unknown> =>
  (await delegates.world.call(root, 'GET', `/${delegates.platform}/manage/grants/${grantId}`)).body['standing'];

/** Whether a token opens anything: asked about, at userinfo, and as what a further exchange begins with. */
const opens = async ({ filesServer, third }: Chain, servers: Party = filesServer): Promise<readonly boolean[]> => [
  (await delegates.introspect(servers, third))['active'] === true,
  (await delegates.userinfo(third)) === 200,
  (await delegates.exchange(servers, third)).status === 200,
];

const revoke = (party: Party, token: string) => delegates.send(party, '/oauth/revoke', { token });
const grantOf = async (party: Party, token: string): Promise<string> => String((await delegates.introspect(party, token))['grant_id']);

const ends: readonly (readonly [string, (chain: Chain) => Promise<unknown>])[] = [
  ['the first token is revoked', ({ assistant, first }) => revoke(assistant, first.token)],
  ['the token in the middle is revoked', ({ calendarServer, second }) => revoke(calendarServer, second)],
  ['the first grant is ended with its refresh token', ({ assistant, first }) => revoke(assistant, first.refreshToken)],
  [
    'an operator ends the first grant',
    ({ first }) => revokeGrant(delegates.world.deps.provisioning, by, { platform: delegates.platform, grant: first.id }),
  ],
  [
    'an operator ends the grant in the middle',
    async ({ calendarServer, second }) =>
      revokeGrant(delegates.world.deps.provisioning, by, {
        platform: delegates.platform,
        grant: (await grantOf(calendarServer, second)) as never,
      }),
  ],
  [
    'the first client is disabled',
    ({ assistant }) => delegates.happen(assistant.stream, { type: 'client.disabled', data: { reason: 'r' } }),
  ],
  [
    'a client in the middle is disabled',
    ({ calendarServer }) => delegates.happen(calendarServer.stream, { type: 'client.disabled', data: { reason: 'r' } }),
  ],
  [
    'everything of a client in the middle is revoked',
    ({ calendarServer }) => delegates.happen(calendarServer.stream, { type: 'client.grants_revoked', data: { reason: 'r' } }),
  ],
  [
    'the acting client is disabled',
    ({ mailServer }) => delegates.happen(mailServer.stream, { type: 'client.disabled', data: { reason: 'r' } }),
  ],
  ['the account is disabled', ({ account }) => delegates.happen(account, { type: 'account.disabled', data: { reason: 'r' } })],
  [
    'everything of the account is revoked',
    ({ account }) => delegates.happen(account, { type: 'account.grants_revoked', data: { reason: 'r' } }),
  ],
  ['the account is erased', ({ account }) => delegates.happen(account, { type: 'account.erased', data: {} })],
  [
    'the person chooses another context for what they allowed',
    ({ first }) => delegates.happen(first.id, { type: 'grant.context_selected', data: { context: 'safe-2' } }),
  ],
];

describe('a token at the end of a chain', () => {
  test('opens what it is for while everything behind it stands', async () => {
    const made = await chain();
    expect(await opens(made)).toEqual([true, true, true]);
    expect(await standingOf(made.grantId)).toBe('good');
  });

  test.each(ends)('is dead everywhere at once when %s', async (_, end) => {
    const made = await chain();
    await end(made);
    expect(await opens(made)).toEqual([false, false, false]);
    expect(await standingOf(made.grantId)).not.toBe('good');
    expect((await delegates.exchange(made.mailServer, made.second)).status).toBeGreaterThanOrEqual(400);
  });

  test('outlives a refresh of the grant that it began with', async () => {
    const made = await chain();
    const refreshed = await delegates.send(made.assistant, '/oauth/token', {
      grant_type: 'refresh_token',
      refresh_token: made.first.refreshToken,
      resource: calendar,
    });
    expect(refreshed.status).toBe(200);
    expect(await opens(made)).toEqual([true, true, true]);
  });

  test('comes back with a client that is enabled again', async () => {
    const made = await chain();
    await delegates.happen(made.assistant.stream, { type: 'client.disabled', data: { reason: 'r' } });
    await delegates.happen(made.assistant.stream, { type: 'client.enabled', data: {} });
    expect(await opens(made)).toEqual([true, true, true]);
  });
});

test('an exchange on a suspended platform is told to come back later, and keeps its tokens', async () => {
  const made = await chain();
  await delegates.happen(platformStream, { type: 'platform.suspended', data: { reason: 'maintenance' } });
  expect(await delegates.exchange(made.filesServer, made.third)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
});
