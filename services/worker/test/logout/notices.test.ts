import type { AccountId } from '@grantlog/domain';
import { deleteOldLogouts, deleteOldSignInClients } from '@grantlog/postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import { createTellClients, keptNoticeDays, rememberedDays } from '../../src/logout/tell-clients.ts';
import { useScene } from '../support/scene.ts';
import { type LogoutScene, openLogoutScene } from './support.ts';

const scene = useScene('postgres');
let logouts: LogoutScene;
let ada: AccountId;
beforeEach(async () => {
  logouts = await openLogoutScene(scene);
  ada = await logouts.person();
});

const uri = (path: string) => ({ extras: { backchannelLogout: { uri: `https://app.example/${path}`, sessionRequired: false } } });

describe('the end of a sign-in', () => {
  test('is noted for each app that got an ID token in it and listens at that moment, once', async () => {
    const [one, two, deaf, other] = [
      await logouts.app(uri('1')),
      await logouts.app(uri('2')),
      await logouts.app(),
      await logouts.app(uri('3')),
    ];
    const [mine, elsewhere] = [await logouts.signIn(ada), await logouts.signIn(ada)];
    for (const to of [one, one, two, deaf]) await logouts.login(to, { account: ada, signIn: mine });
    await logouts.login(other, { account: ada, signIn: elsewhere });
    await logouts.consume();
    expect(await logouts.notices()).toEqual([]);
    await logouts.end(mine);
    await logouts.consume();
    const notices = await logouts.notices();
    expect(notices.map(({ client, sign_in, state }) => [client, sign_in, state]).sort()).toEqual(
      [one, two].map(({ stream }) => [stream, mine, 'due']).sort(),
    );
    // What was told of is forgotten; the other sign-in goes on.
    expect(await logouts.remembered()).toBe(1);
  });

  test('is noted as well where it stands in one batch with what went before', async () => {
    const app = await logouts.app(uri('1'));
    const signIn = await logouts.signIn(ada);
    await logouts.login(app, { account: ada, signIn });
    await logouts.end(signIn);
    await logouts.consume();
    expect(await logouts.notices()).toHaveLength(1);
  });

  test('is nothing to an app that got no ID token: it knows neither account nor sign-in', async () => {
    const app = await logouts.app(uri('1'));
    const signIn = await logouts.signIn(ada);
    const of = { account: ada, signIn };
    await logouts.login(app, of, { scopes: ['read'] });
    await logouts.login(app, of, { flow: 'token_exchange' });
    await logouts.login(app, of, { account: null });
    await logouts.end(signIn);
    await logouts.consume();
    expect(await logouts.notices()).toEqual([]);
  });

  test('is told where the app listens by then, not where it used to', async () => {
    const [listens, listened, disabled] = [await logouts.app(), await logouts.app(uri('1')), await logouts.app(uri('2'))];
    const signIn = await logouts.signIn(ada);
    for (const to of [listens, listened, disabled]) await logouts.login(to, { account: ada, signIn });
    await logouts.consume();
    await logouts.account(listens.stream, { type: 'client.updated', data: { backchannelLogout: uri('x').extras.backchannelLogout } });
    await logouts.account(listened.stream, { type: 'client.updated', data: { backchannelLogout: null } });
    await logouts.account(disabled.stream, { type: 'client.disabled', data: { reason: 'requested' } });
    await logouts.end(signIn);
    await logouts.consume();
    expect((await logouts.notices()).map(({ client }) => client)).toEqual([listens.stream]);
  });

  test('is noted once more never, however often the log is read, and not at all where it is long past', async () => {
    const app = await logouts.app(uri('1'));
    const signIn = await logouts.signIn(ada);
    await logouts.login(app, { account: ada, signIn });
    await logouts.end(signIn);
    await logouts.consume();
    const first = await logouts.notices();
    await logouts.forgetCheckpoint();
    await logouts.consume();
    expect((await logouts.notices()).map(({ id }) => id)).toEqual(first.map(({ id }) => id));

    await scene.world().pool.query('delete from logout_notice');
    await logouts.forgetCheckpoint();
    await logouts.consume(createTellClients({ now: () => Date.now() + 8 * 86_400_000 }));
    expect(await logouts.notices()).toEqual([]);
  });
});

describe('what else ends sign-ins', () => {
  const ends: readonly (readonly [string, readonly string[], number])[] = [
    ['account.password_set', ['pwd'], 1],
    ['account.grants_revoked', ['pwd'], 1],
    ['account.disabled', ['pwd', 'otp', 'mfa'], 1],
    ['account.erased', ['pwd'], 1],
    ['account.mfa_enrolled', ['pwd'], 1],
    ['account.mfa_enrolled', ['pwd', 'otp', 'mfa'], 0],
    ['account.roles_assigned', ['pwd'], 0],
    ['account.mfa_removed', ['pwd'], 0],
  ];
  const dataOf: Readonly<Record<string, object>> = {
    'account.password_set': { credentialId: crypto.randomUUID() },
    'account.grants_revoked': { reason: 'requested' },
    'account.disabled': { reason: 'requested' },
    'account.erased': {},
    'account.mfa_enrolled': { factor: 'totp', credentialId: crypto.randomUUID() },
    'account.mfa_removed': { factor: 'totp' },
    'account.roles_assigned': { roles: [] },
  };
  test.each(ends)('%s, of a sign-in with %j: %i notice of its own account, none of another', async (type, amr, expected) => {
    const app = await logouts.app(uri('1'));
    const bob = await logouts.person();
    const [adas, bobs] = [await logouts.signIn(ada, amr), await logouts.signIn(bob, amr)];
    await logouts.login(app, { account: ada, signIn: adas });
    await logouts.login(app, { account: bob, signIn: bobs });
    await logouts.account(ada, { type, data: dataOf[type] as never });
    // What begins after it goes on, as the browser that changed the password does.
    const later = await logouts.signIn(ada, amr);
    await logouts.login(app, { account: ada, signIn: later });
    await logouts.consume();
    const isTold = async (): Promise<void> => {
      expect((await logouts.notices()).map(({ sign_in }) => sign_in)).toEqual(expected === 1 ? [adas] : []);
      expect(await logouts.remembered()).toBe(3 - expected);
    };
    await isTold();
    // Read again, the event finds what began after it noted already.
    await logouts.forgetCheckpoint();
    await logouts.consume();
    await isTold();
  });

  test('a revocation of everything on the platform ends all that began before it; a suspension, which is taken back, none', async () => {
    const app = await logouts.app(uri('1'));
    const signIns = [await logouts.signIn(ada), await logouts.signIn(await logouts.person())];
    for (const signIn of signIns) await logouts.login(app, { account: ada, signIn });
    await logouts.platform('platform.suspended', { reason: 'requested' });
    await logouts.consume();
    expect(await logouts.notices()).toEqual([]);
    await logouts.platform('platform.grants_revoked', { reason: 'requested' });
    const later = await logouts.signIn(ada);
    await logouts.login(app, { account: ada, signIn: later });
    await logouts.consume();
    expect((await logouts.notices()).map(({ sign_in }) => sign_in).sort()).toEqual([...signIns].sort());
  });
});

test('what nobody ended is forgotten after sixty days, and what was told after fourteen', async () => {
  const { pool } = scene.world();
  const app = await logouts.app(uri('1'));
  const [told, waiting, open] = [await logouts.signIn(ada), await logouts.signIn(ada), await logouts.signIn(ada)];
  for (const signIn of [told, waiting, open]) await logouts.login(app, { account: ada, signIn });
  for (const signIn of [told, waiting]) await logouts.end(signIn);
  await logouts.consume();
  await pool.query(
    `update logout_notice set state = 'told', finished_at = now() - make_interval(days => $1::int), created_at = now() - interval '90 days' where sign_in = $2`,
    [keptNoticeDays - 1, told],
  );
  expect([await deleteOldLogouts(pool, keptNoticeDays), await deleteOldSignInClients(pool, rememberedDays)]).toEqual([0, 0]);
  await pool.query(`update logout_notice set finished_at = finished_at - interval '2 days', created_at = created_at - interval '90 days'`);
  await pool.query(`update sign_in_client set seen_at = seen_at - interval '61 days'`);
  expect([await deleteOldLogouts(pool, keptNoticeDays), await deleteOldSignInClients(pool, rememberedDays)]).toEqual([1, 1]);
  // What is due stays due, however old.
  expect((await logouts.notices()).map(({ sign_in }) => sign_in)).toEqual([waiting]);
});

test('a platform knows nothing of the sign-ins of another', async () => {
  const app = await logouts.app(uri('1'));
  const signIn = await logouts.signIn(ada);
  await logouts.login(app, { account: ada, signIn });
  await logouts.consume();
  // The same stream id ends on another platform.
  await scene.world().append(signIn, { type: 'sign_in.ended', data: { reason: 'signed_out' } });
  await scene.world().append(ada, { type: 'account.erased', data: {} });
  await logouts.consume();
  expect(await logouts.notices()).toEqual([]);
  expect(await logouts.remembered()).toBe(1);
});
