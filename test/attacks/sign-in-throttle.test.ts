import type { PlatformId } from '@grantlog/eventsourcing';
import { createPool, type Pool, readEventsAfter } from '@grantlog/postgres';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { createVisitor, type Visitor } from '../support/visitor.ts';
import { openWorkbench, type TestAccount, type Workbench } from '../support/workbench.ts';

const platform = 'arlo';
let deployment: Deployment;
let workbench: Workbench;
let pool: Pool;
let victim: TestAccount;

beforeAll(async () => {
  // The test is the reverse proxy: whoever comes from loopback says who the client is.
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0, settings: { TRUST_PROXY: '127.0.0.1' } });
  workbench = openWorkbench(deployment);
  pool = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_api', max: 2 });
  victim = await workbench.account(platform);
});
beforeEach(() => pool.query('delete from attempt_bucket'));
afterAll(async () => {
  await pool.end();
  await workbench.close();
  await deployment.stop();
});

const at = (node: number, path: string): string => `${deployment.apis[node % 2]?.url}/${platform}${path}`;
const origin = (): string => new URL(deployment.publicUrl).origin;
const signIn = async (
  visitor: Visitor,
  from: string,
  who: Pick<TestAccount, 'email' | 'password'>,
  node = 0,
): Promise<{ readonly status: number; readonly retryAfter: number; readonly text: string }> => {
  const forwarded = { 'x-forwarded-for': from };
  const page = await visitor.open(at(node, '/sign-in'), forwarded);
  const { status, headers, text } = await visitor.post(
    at(node, '/sign-in'),
    { ...page.hidden, email: who.email, password: who.password },
    forwarded,
  );
  return { status, retryAfter: Number(headers.get('retry-after') ?? 0), text };
};
const failures = async (): Promise<number> => {
  const events = await readEventsAfter(pool, { platform: platform as PlatformId, after: 0, limit: 10_000 });
  return events.filter(({ type }) => type === 'sign_in.failed').length;
};
const guess = (nth: number): Pick<TestAccount, 'email' | 'password'> => ({ email: victim.email, password: `guess ${nth}` });
const storm = (count: number, from: (nth: number) => string) =>
  Promise.all(Array.from({ length: count }, (_, nth) => signIn(createVisitor(origin()), from(nth), guess(nth), nth)));

test('of fifty guesses at once against two processes exactly the budget is looked at', async () => {
  const before = await failures();
  const answers = await storm(50, () => '203.0.113.1');
  expect(answers.filter(({ status }) => status === 400)).toHaveLength(10);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(40);
  for (const { retryAfter } of refused) expect(retryAfter).toBeGreaterThan(0);
  expect((await failures()) - before).toBe(10);
  // Not even the right one.
  expect((await signIn(createVisitor(origin()), '203.0.113.1', victim, 1)).status).toBe(429);
});

test('a victim signs in from a known browser at the address of the attacker and at any other, during the attack', async () => {
  const known = createVisitor(origin());
  expect((await signIn(known, '203.0.113.2', victim)).status).toBe(200);
  const attack = storm(50, () => '203.0.113.2');
  const during = [await signIn(known, '203.0.113.2', victim, 0), await signIn(known, '198.51.100.7', victim, 1)];
  expect((await attack).filter(({ status }) => status === 400).length).toBeLessThanOrEqual(11);
  expect(during.map(({ status }) => status)).toEqual([200, 200]);
  expect((await signIn(createVisitor(origin()), '203.0.113.2', victim)).status).toBe(429);
  expect((await signIn(known, '203.0.113.2', victim)).status).toBe(200);
});

test('a victim whom many addresses attack signs in from a browser that nobody knows', async () => {
  const answers = [];
  for (let round = 0; round < 4; round += 1) answers.push(...(await storm(30, (nth) => `198.51.${round}.${nth + 1}`)));
  // Where too many wait for argon2, the answer is 503, and nothing was looked at.
  expect(answers.filter(({ status }) => status === 400).length).toBeGreaterThan(100);
  expect((await signIn(createVisitor(origin()), '203.0.113.3', victim)).status).toBe(200);
});

test('what Retry-After says is true', async () => {
  await storm(12, () => '203.0.113.4');
  const { retryAfter } = await signIn(createVisitor(origin()), '203.0.113.4', victim);
  expect(retryAfter).toBeGreaterThan(0);
  await pool.query('update attempt_bucket set at = at - make_interval(secs => $1)', [retryAfter]);
  expect((await signIn(createVisitor(origin()), '203.0.113.4', victim)).status).toBe(200);
});

test('neither buckets nor logs nor events name an email, an address or a password', async () => {
  await storm(2, () => '203.0.113.5');
  const { rows } = await pool.query<{ text: string }>(`select encode(key, 'escape') as text from attempt_bucket`);
  const events = await pool.query<{ text: string }>(
    `select data::text || actor::text || encode(coalesce(personal, ''), 'escape') as text from event`,
  );
  const everything = [...rows, ...events.rows].map(({ text }) => text).join('\n') + (await deployment.allLogs());
  expect(rows.length).toBeGreaterThan(0);
  for (const secret of [victim.email, '203.0.113.5', 'guess 1', victim.password]) expect(everything).not.toContain(secret);
});
