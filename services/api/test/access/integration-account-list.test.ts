import type { PlatformId } from '@grantlog/eventsourcing';
import { eraseAccount } from '@grantlog/provisioning';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createWorld, type World } from '../management/support/world.ts';
import { createExplorers, type Explorers, type Person } from './support/explorers.ts';

let world: World;
let explorers: Explorers;
let [ours, theirs, closed] = [] as unknown as [PlatformId, PlatformId, PlatformId];
let administrator: Person;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  explorers = createExplorers(world);
  const exploration = { days: 30, requestsPerDay: 1_000, administratorRole: 'administrator' };
  [ours, theirs] = [await explorers.configure('ours', { exploration }), await explorers.configure('theirs', { exploration })];
  closed = await explorers.configure('closed');
  administrator = await explorers.person(ours, { roles: ['administrator', 'api_user'] });
});
afterAll(() => world.close());

type Listed = { readonly accountId: string; readonly name: string; readonly username: string; readonly status: string };

const list = async (who: Person, query = '', platform = ours) => {
  const response = await world.app.inject({
    url: `/${platform}/account/integration-accounts${query}`,
    headers: { authorization: `Basic ${btoa(`${who.email}:${who.password}`)}` },
  });
  const body = response.json() as { readonly accounts: readonly Listed[]; readonly next: number | null; readonly code?: string };
  return { status: response.statusCode, ...body };
};
const make = async (name: string, who = administrator, platform = ours): Promise<string> => {
  const response = await world.app.inject({
    method: 'POST',
    url: `/${platform}/account/integration-accounts`,
    headers: { authorization: `Basic ${btoa(`${who.email}:${who.password}`)}` },
    payload: { name, roles: ['api_user'], password: who.password },
  });
  return String(response.json().accountId);
};

test('shows an administrator every integration account of the platform, newest first, and no person', async () => {
  expect(await list(administrator)).toEqual({ status: 200, accounts: [], next: null });
  const [first, second] = [await make('First'), await make('Second')];
  const byOperator = await explorers.person(ours, { kind: 'integration', roles: ['presenter'] });
  await explorers.happen(ours, second as never, { type: 'account.disabled', data: { reason: 'requested' } });
  const { accounts, next } = await list(administrator);
  expect(next).toBeNull();
  expect(accounts).toEqual([
    {
      accountId: byOperator.id,
      username: byOperator.email,
      name: 'A Person',
      status: 'active',
      roles: ['presenter'],
      registeredAt: expect.stringMatching(/Z$/),
    },
    expect.objectContaining({ accountId: second, name: 'Second', status: 'disabled', roles: ['api_user'] }),
    expect.objectContaining({
      accountId: first,
      name: 'First',
      status: 'active',
      username: expect.stringMatching(/^integration-\w+@ours\.invalid$/),
    }),
  ]);
});

test('comes in pages without a gap or a repetition', async () => {
  for (const name of ['a', 'b', 'c']) await make(name);
  const { accounts: all } = await list(administrator);
  const seen: string[] = [];
  let before: number | null = null;
  let pages = 0;
  do {
    const page: Awaited<ReturnType<typeof list>> = await list(administrator, `?limit=2${before === null ? '' : `&before=${before}`}`);
    expect(page.accounts.length).toBeLessThanOrEqual(2);
    seen.push(...page.accounts.map(({ accountId }) => accountId));
    before = page.next;
    pages += 1;
  } while (before !== null);
  expect([seen, pages]).toEqual([all.map(({ accountId }) => accountId), Math.ceil(all.length / 2)]);
  expect((await list(administrator, '?limit=201')).status).toBe(400);
});

test('leaves out what was erased', async () => {
  const gone = await make('Gone');
  expect((await list(administrator)).accounts.map(({ accountId }) => accountId)).toContain(gone);
  const by = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' } as const;
  await eraseAccount(world.deps.provisioning, by, { platform: ours, account: gone as never });
  expect((await list(administrator)).accounts.map(({ accountId }) => accountId)).not.toContain(gone);
});

test('shows nothing of another platform, nor to its administrators', async () => {
  const stranger = await explorers.person(theirs, { roles: ['administrator', 'api_user'] });
  const own = await make('Theirs', stranger, theirs);
  expect((await list(stranger, '', theirs)).accounts.map(({ accountId }) => accountId)).toEqual([own]);
  // Nor do others take places of the page.
  expect(await list(stranger, '?limit=1', theirs)).toMatchObject({ accounts: [{ accountId: own }], next: null });
  expect((await list(administrator)).accounts.map(({ accountId }) => accountId)).not.toContain(own);
  expect((await list(stranger)).status).toBe(401);
});

test('is for people with the role that the platform names, and for nobody where it names none', async () => {
  expect(await list(await explorers.person(ours, { roles: ['api_user'] }))).toMatchObject({ status: 403, code: 'role_required' });
  const program = await explorers.person(ours, { kind: 'integration', roles: ['administrator'] });
  expect(await list(program)).toMatchObject({ status: 403, code: 'person_required' });
  const chief = await explorers.person(closed, { roles: ['administrator'] });
  expect(await list(chief, '', closed)).toMatchObject({ status: 404, code: 'not_offered' });
});

test('is found by an index of its own', async () => {
  const { rows } = await world.deps.pool.query<{ 'QUERY PLAN': string }>(
    `explain select stream_id from event where platform = 'ours' and type = 'account.registered' and data ->> 'kind' = 'integration'
       and stream_id < '01000000-0000-0000-0000-000000000000' and position < 1000000 order by position desc limit 3`,
  );
  expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('event_integration_accounts');
});
