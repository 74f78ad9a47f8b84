import { uuidv7 } from '@grantlog/crypto';
import { type EndpointId, type SessionId, webhookEndpointDecider } from '@grantlog/domain';
import { fold, type PlatformId, type StreamId } from '@grantlog/eventsourcing';
import { consumeOnce, deleteForgottenDataKeys, ensureSubscriptions, insertDataKey } from '@grantlog/postgres';
import { readWebhookEcho } from '@grantlog/provisioning';
import { expect, test } from 'vitest';
import { createErasure } from '../src/subscriptions/erasure.ts';
import { clinic, createAgents } from './support/agents.ts';
import { useScene } from './support/scene.ts';
import { platform } from './support/world.ts';

const scene = useScene();

const carryOut = async (): Promise<void> => {
  const erasure = createErasure();
  await ensureSubscriptions(scene.world().pool, [erasure.name]);
  while ((await consumeOnce(scene.world().pool, [erasure])).kind === 'consumed');
};
const holdsKey = async (...subjects: readonly StreamId[]): Promise<readonly boolean[]> => {
  const { rows } = await scene.world().pool.query<{ subject: StreamId }>('select subject from data_key where platform = $1', [clinic]);
  return subjects.map((subject) => rows.some((row) => row.subject === subject));
};
const echoOf = async (endpoint: EndpointId) => {
  const { log, sealer } = scene.world();
  const stream = (await log.load(clinic, [{ streamId: endpoint, withSecrets: true }])).stream(endpoint);
  const state = fold(webhookEndpointDecider, stream);
  if (state.status !== 'active') throw new Error(`${endpoint} is ${state.status}`);
  return readWebhookEcho(sealer, { platform: clinic, endpoint, wrappedKey: stream.dataKey, personal: state.personal });
};

test('an erased account loses its data key, and nobody else does', async () => {
  const { pool, account, append } = scene.world();
  const [leaving, staying] = [account(), account()];
  for (const subject of [leaving, staying]) await insertDataKey(pool, { platform, subject, sealed: new Uint8Array([1, 2, 3]) });
  await append(leaving, { type: 'account.erased', data: {} });
  await carryOut();
  const { rows } = await pool.query('select subject from data_key');
  expect(rows).toEqual([{ subject: staying }]);
});

const url = 'https://agent.example/hook';
const deliveryContext = { to: '+15551234567' };

test("an erased account takes along what its agents said to its sessions and their webhooks, and nobody else's", async () => {
  const agents = await createAgents(scene.world());
  const sessionKeyFor = async (session: SessionId) =>
    insertDataKey(scene.world().api, { platform: clinic, subject: session, sealed: new Uint8Array([1]) });
  const [first, second, other] = [
    await agents.begin({ url, deliveryContext }),
    await agents.begin({ url, deliveryContext }),
    await agents.begin({ url, deliveryContext }),
  ];
  for (const { session } of [first, second, other]) await sessionKeyFor(session);
  const [leaving, staying] = [await agents.person(), await agents.person()];
  await agents.link(first.session, leaving);
  await agents.link(second.session, leaving);
  await agents.link(other.session, staying);
  const later = await agents.put(second.session, { url, sessionKey: 'later', deliveryContext });
  // One that ended before is its as well.
  await agents.append(first.session, { type: 'session.revoked', data: { reason: 'by_account', by: leaving } });
  await agents.append(leaving, { type: 'account.erased', data: {} });
  expect(await echoOf(later.endpoint)).toMatchObject({ deliveryContext });
  await carryOut();

  const gone = [leaving, first.session, first.endpoint, second.session, second.endpoint, later.endpoint];
  expect(await holdsKey(...gone)).toEqual(gone.map(() => false));
  expect(await holdsKey(staying, other.session, other.endpoint)).toEqual([true, true, true]);
  expect(await echoOf(later.endpoint)).toBeNull();
  expect(await echoOf(other.endpoint)).toMatchObject({ deliveryContext });
});

test("an erased account takes along what its agents' receivers answered, and that they answered stays", async () => {
  const agents = await createAgents(scene.world());
  const { pool } = scene.world();
  const [mine, other] = [await agents.begin({ url, deliveryContext }), await agents.begin({ url, deliveryContext })];
  const [leaving, staying] = [await agents.person(), await agents.person()];
  await agents.link(mine.session, leaving);
  await agents.link(other.session, staying);
  const tried = (at: PlatformId, endpoint: EndpointId) =>
    pool.query(
      `insert into attempt (platform, endpoint, id, attempt, outcome, status, detail, response, began_at)
       values ($1, $2, $3, 1, 'rejected', 500, 'The receiver answered 500', $4, now())`,
      [at, endpoint, uuidv7(Date.now()), JSON.stringify(deliveryContext)],
    );
  await tried(clinic, mine.endpoint);
  await tried(clinic, other.endpoint);
  await tried(platform, mine.endpoint);
  await agents.append(leaving, { type: 'account.erased', data: {} });
  await carryOut();
  const { rows } = await pool.query('select platform, endpoint, status, response is null as blank from attempt');
  expect(new Set(rows)).toEqual(
    new Set([
      { platform: clinic, endpoint: mine.endpoint, status: 500, blank: true },
      { platform: clinic, endpoint: other.endpoint, status: 500, blank: false },
      { platform, endpoint: mine.endpoint, status: 500, blank: false },
    ]),
  );
});

test('a session that ends without anybody keeps what it needs to say so for four days, and no longer', async () => {
  const agents = await createAgents(scene.world());
  const { pool } = scene.world();
  const [expired, denied, linked, pending] = [
    await agents.begin({ url, deliveryContext }),
    await agents.begin({ url, deliveryContext }),
    await agents.begin({ url, deliveryContext }),
    await agents.begin({ url, deliveryContext }),
  ];
  await agents.link(linked.session, await agents.person());
  await agents.append(expired.session, { type: 'session.expired', data: { at: Date.now() } });
  await agents.append(denied.session, { type: 'session.denied', data: { reason: 'wrong_number', account: null } });
  await agents.append(linked.session, { type: 'session.expired', data: { at: Date.now() } });
  await carryOut();
  const endpoints = [expired, denied, linked, pending].map(({ endpoint }) => endpoint);
  expect(await deleteForgottenDataKeys(pool)).toBe(0);
  expect(await holdsKey(...endpoints)).toEqual([true, true, true, true]);

  const { rows } = await pool.query<{ days: number }>(
    'select round(extract(epoch from forget_at - now()) / 86400)::int as days from data_key where forget_at is not null',
  );
  expect(rows).toEqual([{ days: 4 }, { days: 4 }]);
  await pool.query("update data_key set forget_at = forget_at - interval '4 days'");
  expect(await deleteForgottenDataKeys(pool)).toBe(2);
  expect(await holdsKey(...endpoints)).toEqual([false, false, true, true]);
});
