import { randomToken, uuidv7 } from '@grantlog/crypto';
import type { CodeTerms, GrantId, GrantTerms, Issue } from '@grantlog/domain';
import { consentMemory } from '@grantlog/provisioning';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type App, answerOf, asks, openPeopleWorld, type PeopleWorld } from './support/people.ts';

/** How long a memory lasts: as its grant does, whatever anybody has recorded about that, and handed on before it ends. */
let world: PeopleWorld;
let app: App;

beforeAll(async () => {
  world = await openPeopleWorld(inject('databaseUrl'));
  app = await world.client();
});
afterAll(() => world.close());

const hour = 3_600;
const now = (): number => Math.floor(Date.now() / 1000);

/** A person whose consent is remembered by a grant of these times: a code that runs out, or tokens that were issued and expire. */
const rememberedBy = async (times: { readonly codeUntil: number } | { readonly issued: number; readonly until: number }) => {
  const who = await world.person();
  const names = await world.deps.directory.open(world.memo);
  if (names === null) throw new Error('the platform is not there');
  const client = names.client(app.clientId);
  const resources: readonly string[] = [];
  const [scopes, redirectUri] = [['openid', 'read'], app.redirectUri];
  const terms: GrantTerms = {
    ...{ flow: 'authorization_code', client, clientId: app.clientId, account: who.id, session: null, signIn: null },
    ...{ scopes, resources, authTime: now(), tokenNonce: randomToken(32) },
  };
  const code: CodeTerms = {
    ...{ expiresAt: 'codeUntil' in times ? times.codeUntil : now(), redirectUri, redirectUriSent: true },
    ...{ codeChallenge: null, tokenKeyId: 1, nonce: null },
  };
  const grant = uuidv7(Date.now()) as GrantId;
  const memory = consentMemory(names, { account: who.id, client, redirectUri, scopes, resources, claims: null });
  const redeemed = (issued: number, accessExpiresAt: number): Issue => ({
    ...{ sequence: 1, issuedAt: issued * 1000, accessExpiresAt, refreshExpiresAt: null, scopes: [0, 1], resource: null, tokenKeyId: 1 },
  });
  await world.append(
    world.memo,
    grant,
    { type: 'grant.authorized', data: { ...terms, code, issue: null } },
    ...('codeUntil' in times ? [] : [{ type: 'grant.code_redeemed', data: { issue: redeemed(times.issued, times.until) } }]),
  );
  await world.append(world.memo, memory, { type: 'name.claimed', data: { kind: 'consent', owner: grant } });
  const browser = world.createBrowser();
  const page = await browser.send('GET', '/sign-in', null);
  await browser.signIn(page, who);
  return { browser, memory };
};
const visit = async ({ browser }: Pick<Awaited<ReturnType<typeof rememberedBy>>, 'browser'>) => {
  const { result, events, types } = await world.during(() => browser.visit(app));
  return { asks: asks(result), events, types };
};

test('a code that runs out unredeemed is asked about again, though nobody has recorded that it has', async () => {
  expect(await visit(await rememberedBy({ codeUntil: now() - 1 }))).toMatchObject({ asks: true, types: [] });
  expect(await visit(await rememberedBy({ codeUntil: now() + hour }))).toMatchObject({ asks: false, types: ['grant.authorized'] });
});

test('a grant whose tokens have all expired is asked about again', async () => {
  expect(await visit(await rememberedBy({ issued: now() - hour, until: now() - 1 }))).toMatchObject({ asks: true, types: [] });
});

test('a grant in the first half of its time keeps what is remembered by it', async () => {
  expect(await visit(await rememberedBy({ issued: now() - 10, until: now() + hour }))).toMatchObject({
    asks: false,
    types: ['grant.authorized'],
  });
});

test('a grant that nears its end hands it on to the grant that it opens, which then keeps it', async () => {
  const { browser, memory } = await rememberedBy({ issued: now() - hour, until: now() + 600 });
  const first = await visit({ browser });
  expect(first).toMatchObject({ asks: false, types: ['grant.authorized', 'name.released', 'name.claimed'] });
  const owner = first.events[0]?.streamId;
  expect(first.events.at(-1)).toMatchObject({ streamId: memory, data: { kind: 'consent', owner } });
  expect((await visit({ browser })).events).toMatchObject([{ type: 'grant.authorized', data: { remembered: owner } }]);
});

test('of many requests at once one is handed it, and all are answered', async () => {
  const { browser } = await rememberedBy({ issued: now() - hour, until: now() + 600 });
  const { result, types } = await world.during(() => Promise.all(Array.from({ length: 20 }, () => browser.visit(app))));
  expect(result.filter((seen) => answerOf(seen)['code'] === undefined)).toEqual([]);
  expect(types.filter((type) => type === 'grant.authorized')).toHaveLength(20);
  expect(types.filter((type) => type === 'name.claimed')).toHaveLength(1);
});
