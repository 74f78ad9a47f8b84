import { uuidv7 } from '@grantlog/crypto';
import type { AccountId, ClientStreamId } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';
import { createPool, deleteDataKeys, transaction } from '@grantlog/postgres';
import { eraseAccount, type PlatformNames, sealPersonalOf } from '@grantlog/provisioning';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { type ExportLine, exportLines } from '../../src/account/export-lines.ts';
import { openShop, type Shop } from '../developer/shop.ts';
import type { TestDeveloper } from '../developer/support.ts';
import type { Json } from '../management/support/world.ts';
import { indexEvents } from './support/index-events.ts';

const by = { actor: { kind: 'operator', id: 'somebody' }, correlationId: 'test' } as const;

let world: Shop['world'];
let shop: Shop['shop'];
let withRoom: Shop['withRoom'];
let names: PlatformNames;
let own: { readonly id: string; readonly stream: ClientStreamId };
let developer: TestDeveloper;
let stranger: TestDeveloper;
beforeAll(async () => {
  let register: Shop['register'];
  ({ world, shop, withRoom, register } = await openShop(inject('databaseUrl')));
  names = (await world.deps.directory.open(shop)) as PlatformNames;
  [developer, stranger] = [await withRoom(), await withRoom()];
  const { id } = await register(developer);
  own = { id, stream: names.client(id) };
  await register(stranger);
});
beforeEach(async () => void (await world.deps.pool.query('delete from attempt_bucket')));
afterAll(() => world.close());

const exported = async (who: TestDeveloper, body: object = { password: who.password }, at: string = shop) => {
  const authorization = `Basic ${btoa(`${who.email}:${who.password}`)}`;
  const response = await world.app.inject({ method: 'POST', url: `/${at}/account/export`, headers: { authorization }, payload: body });
  const isDocument = response.headers['content-type'] === 'application/x-ndjson';
  const lines = isDocument
    ? response.body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Json)
    : [];
  return { status: response.statusCode, text: response.body, headers: response.headers, lines };
};
const wrappedKeyOf = async (account: StreamId): Promise<Uint8Array> => {
  const { dataKey } = (await world.deps.log.load(shop, [{ streamId: account, withSecrets: true }])).stream(account);
  if (dataKey === null) throw new Error(`${account} has no data key`);
  return dataKey;
};
/** A sign-in of an account from an address, sealed for itself unless it is said for whom. */
const signIn = async (account: AccountId, address: string, subject: StreamId = account): Promise<StreamId> => {
  const streamId = uuidv7(Date.now()) as StreamId;
  const fields = { address, userAgent: `browser at ${address}` };
  const place = { platform: shop, subject, wrappedKey: await wrappedKeyOf(subject), streamId, version: 1 };
  const personal = sealPersonalOf(world.deps.sealer, { ...place, fields });
  await world.append(shop, streamId, { type: 'sign_in.succeeded', data: { account, method: 'password', amr: ['pwd'] }, personal });
  return streamId;
};
const partsOf = (lines: readonly Json[], part: string) => lines.filter((line) => line['part'] === part);
const forget = async (...subjects: readonly StreamId[]): Promise<void> => {
  const pool = createPool({ connectionString: world.databaseUrl, role: 'grantlog_worker', max: 1 });
  await transaction(pool, (client) => deleteDataKeys(client, { platform: shop, subjects }));
  await pool.end();
};
const catchUp = async (): Promise<void> => {
  await indexEvents(world);
  await world.project();
};
const drain = async (lines: AsyncGenerator<readonly ExportLine[]>): Promise<readonly Json[]> => {
  const all: Json[] = [];
  for await (const page of lines) all.push(...page);
  return all;
};

test('a person has all that is kept about them, with their own personal data in the clear, and nobody else’s', async () => {
  const mine = await signIn(developer.id, '203.0.113.7');
  const foreign = await signIn(developer.id, '198.51.100.9', stranger.id);
  const theirs = await signIn(stranger.id, '192.0.2.44');
  const of = { platform: shop, client: own.stream, clientId: own.id, scopes: ['read'] };
  const grant = await world.grant({ ...of, account: developer.id });
  const other = await world.grant({ ...of, account: stranger.id });
  await catchUp();
  const { status, text, lines, headers } = await exported(developer);
  expect(status, text).toBe(200);
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'content-disposition': expect.stringContaining('attachment') });
  expect(partsOf(lines, 'account')).toEqual([
    expect.objectContaining({ accountId: developer.id, personal: { email: developer.email, name: 'Dev' }, factors: [], hasPassword: true }),
  ]);
  expect(partsOf(lines, 'grant').map(({ grantId, clientId }) => [grantId, clientId])).toEqual([[grant.id, own.id]]);
  expect(partsOf(lines, 'client').map(({ clientId }) => clientId)).toEqual([own.id]);
  const events = partsOf(lines, 'event');
  const personalOf = (streamId: StreamId) => events.find((event) => event['streamId'] === streamId)?.['personal'];
  expect(personalOf(developer.id)).toEqual({ email: developer.email, name: 'Dev' });
  expect(personalOf(mine)).toEqual({ address: '203.0.113.7', userAgent: 'browser at 203.0.113.7' });
  expect([personalOf(foreign), personalOf(grant.id)]).toEqual(['sealed', null]);
  expect(lines.at(-1)).toEqual({ part: 'end', events: events.length, through: expect.any(Number), archivedMonths: [] });
  for (const hidden of [stranger.email, '198.51.100.9', '192.0.2.44', theirs, other.id, developer.password, grant.terms.tokenNonce])
    expect([hidden, text.includes(hidden)]).toEqual([hidden, false]);
  expect(text).not.toMatch(/tokenNonce|credentialId|secretCredential|codeChallenge|"personal_digest|\$argon2/);
  // The same events that the door lists, and its owner sees that they were taken.
  await indexEvents(world);
  const again = await exported(developer);
  expect(partsOf(again.lines, 'event').filter(({ type }) => type === 'audit.read')).toEqual([
    expect.objectContaining({
      actor: { kind: 'account', id: developer.id },
      data: { question: 'export', about: { account: developer.id } },
    }),
  ]);
});

test('only the account itself has it, by its password once more', async () => {
  expect(await exported(developer, { password: 'not this one' })).toMatchObject({
    status: 422,
    text: expect.stringContaining('wrong_password'),
  });
  expect((await exported(developer, {})).status).toBe(400);
  expect((await exported(developer, { password: developer.password, account: stranger.id })).status).toBe(400);
  expect((await exported(developer, { password: stranger.password })).status).toBe(422);
  expect((await exported(developer, { password: developer.password }, 'arlo')).status).toBe(401);
  expect(
    (await world.app.inject({ method: 'POST', url: `/${shop}/account/export`, payload: { password: developer.password } })).statusCode,
  ).toBe(401);
});

test('what is erased is never opened, whether its key is gone yet or not, and fails nothing', async () => {
  const gone = await withRoom();
  await signIn(gone.id, '203.0.113.80');
  await eraseAccount(world.deps.provisioning, by, { platform: shop, account: gone.id });
  await indexEvents(world);
  const of = { names, account: gone.id };
  expect(await wrappedKeyOf(gone.id)).toBeTruthy();
  const before = await drain(exportLines(world.deps, of));
  await forget(gone.id);
  const after = await drain(exportLines(world.deps, of));
  for (const lines of [before, after]) {
    expect(partsOf(lines, 'account')).toEqual([expect.objectContaining({ status: 'erased', personal: 'erased', contexts: [] })]);
    const personal = partsOf(lines, 'event').flatMap((event) => (event['personal'] === null ? [] : [event['personal']]));
    expect(personal).toEqual(['erased', 'erased']);
    for (const hidden of ['203.0.113.80', gone.email]) expect(JSON.stringify(lines)).not.toContain(hidden);
  }
  expect((await exported(gone)).status).toBe(401);
});

test('an erasure in the middle of an export counts from there on', async () => {
  const gone = await withRoom();
  await signIn(gone.id, '203.0.113.81');
  await indexEvents(world);
  const lines = exportLines(world.deps, { names, account: gone.id });
  expect((await lines.next()).value).toEqual([expect.objectContaining({ personal: { email: gone.email, name: 'Dev' } })]);
  await eraseAccount(world.deps.provisioning, by, { platform: shop, account: gone.id });
  const rest = await drain(lines);
  expect(JSON.stringify(rest)).not.toContain('203.0.113.81');
  expect(rest.at(-1)).toMatchObject({ part: 'end' });
});

test('however much there is, no more than a page of it is at hand', async () => {
  const busy = await withRoom();
  const wrappedKey = await wrappedKeyOf(busy.id);
  const count = 2_300;
  for (let begun = 0; begun < count; begun += 100)
    await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const streamId = uuidv7(Date.now()) as StreamId;
        const place = { platform: shop, subject: busy.id, wrappedKey, streamId, version: 1 };
        const personal = sealPersonalOf(world.deps.sealer, { ...place, fields: { address: `10.0.${begun / 100}.${n}` } });
        await world.append(shop, streamId, {
          type: 'sign_in.succeeded',
          data: { account: busy.id, method: 'password', amr: [] },
          personal,
        });
      }),
    );
  await indexEvents(world);
  const sizes: number[] = [];
  const addresses = new Set<unknown>();
  for await (const page of exportLines(world.deps, { names, account: busy.id })) {
    sizes.push(page.length);
    for (const { personal } of page)
      if (typeof personal === 'object' && personal !== null && 'address' in personal) addresses.add(personal.address);
  }
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
  expect(addresses.size).toBe(count);
});
