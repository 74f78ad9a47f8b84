import type { AccountId } from '@grantlog/domain';
import { claimLogouts, recordLogout } from '@grantlog/postgres';
import { activateKey, createKey } from '@grantlog/provisioning';
import { beforeEach, describe, expect, test } from 'vitest';
import { by, clinic } from '../support/agents.ts';
import { useScene } from '../support/scene.ts';
import { until } from '../support/world.ts';
import { type LogoutScene, openLogoutScene } from './support.ts';

const scene = useScene('postgres');
let logouts: LogoutScene;
let ada: AccountId;
beforeEach(async () => {
  logouts = await openLogoutScene(scene);
  ada = await logouts.person();
});

type Listener = Awaited<ReturnType<LogoutScene['listener']>>;

/** Ends a sign-in in which these apps got ID tokens. */
const ended = async (...apps: readonly Listener[]) => {
  const signIn = await logouts.signIn(ada);
  for (const app of apps) await logouts.login(app, { account: ada, signIn });
  await logouts.end(signIn);
  await logouts.consume();
  return signIn;
};
const keyIds = async () => (await logouts.jwks()).keys.map(({ kid }) => kid);
const states = async (): Promise<readonly string[]> => (await logouts.notices()).map(({ state }) => state);

describe('an app that listens', () => {
  test('is told of the person and the sign-in, in a token of the platform that says nothing else', async () => {
    const app = await logouts.listener();
    const signIn = await ended(app);
    await logouts.sender().send();
    expect(app.receiver.refused).toEqual([]);
    const [notice] = await logouts.notices();
    expect(app.receiver.heard).toMatchObject([{ sub: ada, sid: signIn, jti: notice?.id, alg: 'RS256' }]);
    expect(Object.keys(app.receiver.heard[0]?.claims ?? {}).sort()).toEqual(['aud', 'events', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub']);
    expect([await states(), logouts.outcomes]).toEqual([['told'], ['told']]);
    // Told once: nothing is due any more.
    await logouts.makeDue();
    await logouts.sender().send();
    expect(app.receiver.heard).toHaveLength(1);
  });

  test.each(['ES256', 'EdDSA'] as const)('is told by %s where its ID tokens are signed with it', async (alg) => {
    const app = await logouts.listener({ idTokenAlg: alg });
    await ended(app);
    await logouts.sender().send();
    expect([app.receiver.refused, app.receiver.heard.map((logout) => logout.alg)]).toEqual([[], [alg]]);
  });

  test.each([200, 201, 204])('has understood with %i', async (status) => {
    const app = await logouts.listener();
    app.receiver.answerWith(() => ({ status }));
    await ended(app);
    await logouts.sender().send();
    expect(await states()).toEqual(['told']);
  });

  test.each([302, 400, 404, 429, 500, 501])(
    'has not understood with %i, and is told again later, under the same id and never elsewhere',
    async (status) => {
      const [app, elsewhere] = [await logouts.listener(), await logouts.listener()];
      app.receiver.answerWith(() => ({ status, headers: { location: elsewhere.receiver.url } }));
      await ended(app);
      const sender = logouts.sender();
      await sender.send();
      const [notice] = await logouts.notices();
      expect(notice).toMatchObject({ state: 'due', attempts: 1, last_error: `The server answered with status ${status}` });
      expect(notice?.due_in).toBeGreaterThan(2);
      app.receiver.answerWith(() => ({ status: 200 }));
      await logouts.makeDue();
      await sender.send();
      expect(app.receiver.heard.map(({ jti }) => jti)).toEqual([notice?.id, notice?.id]);
      expect([elsewhere.receiver.heard, elsewhere.receiver.refused, await states()]).toEqual([[], [], ['told']]);
    },
  );

  test('may ask for time', async () => {
    const app = await logouts.listener();
    app.receiver.answerWith(() => ({ status: 503, headers: { 'retry-after': '3600' } }));
    await ended(app);
    await logouts.sender().send();
    expect((await logouts.notices())[0]?.due_in).toBeGreaterThan(3_500);
  });

  test('is given up after ten attempts, loudly', async () => {
    const app = await logouts.listener();
    app.receiver.answerWith(() => ({ status: 500 }));
    await ended(app);
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      await logouts.makeDue();
      // A sender of its own each time: none remembers the failures of the others.
      await logouts.sender().send();
    }
    expect(await logouts.notices()).toMatchObject([{ state: 'failed', attempts: 10 }]);
    expect(logouts.outcomes).toEqual([...Array.from({ length: 9 }, () => 'due'), 'failed']);
    expect(logouts.lines.some((line) => line.includes('an app was not told of a logout'))).toBe(true);
  });

  test('is told at its new address, and by the new key, where both have changed since', async () => {
    const [app, moved] = [await logouts.listener(), await logouts.listener()];
    await app.receiver.goDown();
    await ended(app);
    const sender = logouts.sender();
    await sender.send();
    expect(await logouts.notices()).toMatchObject([{ state: 'due', last_error: 'The server could not be reached' }]);
    await logouts.account(app.stream, {
      type: 'client.updated',
      data: { backchannelLogout: { uri: moved.receiver.url, sessionRequired: true } },
    });
    const before = await keyIds();
    const made = await createKey(logouts.agents.provisioning, by, { platform: clinic, alg: 'RS256' });
    if ('refusal' in made) throw new Error(made.refusal);
    await activateKey(logouts.agents.provisioning, by, { platform: clinic, key: made.key, reason: 'compromised' });
    moved.receiver.expect({ issuer: logouts.issuer, clientId: app.clientId, jwks: logouts.jwks });
    await logouts.makeDue();
    await sender.send();
    expect(moved.receiver.refused).toEqual([]);
    expect(before).not.toContain(moved.receiver.heard[0]?.kid);
    await app.receiver.comeUp();
  });

  test('is told nothing any more where it has been deleted, or listens no longer', async () => {
    const [gone, deaf] = [await logouts.listener(), await logouts.listener()];
    await ended(gone, deaf);
    await logouts.account(gone.stream, { type: 'client.deleted', data: {} });
    await logouts.account(deaf.stream, { type: 'client.updated', data: { backchannelLogout: null } });
    await logouts.sender().send();
    expect([gone.receiver.heard, deaf.receiver.heard, await states()]).toEqual([[], [], ['dropped', 'dropped']]);
  });
});

describe('a crowd', () => {
  test('is told at once as far as each app takes it, by any number of workers, each notice once', async () => {
    const app = await logouts.listener();
    app.receiver.answerWith(() => ({ status: 200, delayMs: 20 }));
    for (let n = 0; n < 30; n += 1) {
      const signIn = await logouts.signIn(ada);
      await logouts.login(app, { account: ada, signIn });
    }
    await logouts.account(ada, { type: 'account.password_set', data: { credentialId: crypto.randomUUID() } });
    await logouts.consume();
    await Promise.all([logouts.sender().send(), logouts.sender().send()]);
    expect(app.receiver.refused).toEqual([]);
    expect([app.receiver.heard.length, new Set(app.receiver.heard.map(({ jti }) => jti)).size]).toEqual([30, 30]);
    // Four at once of each worker.
    expect(app.receiver.mostAtOnce()).toBeLessThanOrEqual(8);
    expect(new Set(await states())).toEqual(new Set(['told']));
  });

  test('of an app that does not answer holds up nobody else, and is spared after three failures', async () => {
    const [slow, quick] = [await logouts.listener(), await logouts.listener()];
    slow.receiver.answerWith(() => ({ status: 200, delayMs: 10_000 }));
    for (let n = 0; n < 8; n += 1) await logouts.login(slow, { account: ada, signIn: await logouts.signIn(ada) });
    await logouts.account(ada, { type: 'account.password_set', data: { credentialId: crypto.randomUUID() } });
    await logouts.consume();
    const sender = logouts.sender();
    const sending = sender.send();
    await until(
      () => slow.receiver.heard.length,
      (heard) => heard === 4,
    );
    await ended(quick);
    await until(
      () => quick.receiver.heard.length,
      (heard) => heard === 1,
    );
    await sending;
    // Before any of the others had run into its time limit.
    expect(logouts.outcomes).toEqual(['told', 'due', 'due', 'due', 'due']);
    // The four that failed by their time limit; the others are kept for when it answers again.
    expect(slow.receiver.heard).toHaveLength(4);
    expect((await logouts.notices()).filter(({ attempts }) => attempts === 0)).toHaveLength(4);
  });
});

test('a worker that dies between sending and recording is followed by another, and the app hears the same id', async () => {
  const app = await logouts.listener();
  await ended(app);
  const { pool } = scene.world();
  // As a killed worker leaves it: claimed, sent, not recorded.
  await logouts.sender({ claimMs: 300 }).send();
  await pool.query(`update logout_notice set state = 'due', finished_at = null, claimed_until = now() + interval '300 milliseconds'`);
  const second = logouts.sender();
  await second.send();
  expect(app.receiver.heard).toHaveLength(1);
  await until(
    async () => {
      await second.send();
      return app.receiver.heard.length;
    },
    (heard) => heard === 2,
  );
  expect(new Set(app.receiver.heard.map(({ jti }) => jti)).size).toBe(1);
  expect(await logouts.notices()).toMatchObject([{ state: 'told', attempts: 2 }]);
});

test('a worker that was held up until its claim had passed to another one records nothing any more', async () => {
  const app = await logouts.listener();
  await ended(app);
  const { pool } = scene.world();
  const claim = { limit: 1, perClient: 1, rooms: new Map<string, number>(), claimMs: 0 };
  const [first] = await claimLogouts(pool, claim);
  const [second] = await claimLogouts(pool, claim);
  if (first === undefined || second === undefined) throw new Error('nothing was due');
  expect(await recordLogout(pool, { ...first, outcome: { kind: 'failed', error: 'too late' } })).toBe(false);
  expect(await recordLogout(pool, { ...second, outcome: { kind: 'told' } })).toBe(true);
  expect(await logouts.notices()).toMatchObject([{ state: 'told', attempts: 2, last_error: null }]);
});

test('a worker without the secret leaves the app to another one', async () => {
  const app = await logouts.listener();
  await ended(app);
  await logouts.sender({ sealerSecret: 'another-secret-that-is-long-enough' }).send();
  expect(await logouts.notices()).toMatchObject([{ state: 'due', attempts: 1 }]);
  await logouts.makeDue();
  await logouts.sender().send();
  expect([app.receiver.heard.length, app.receiver.refused]).toEqual([1, []]);
});

test('no token stands in the database or in a log line', async () => {
  const app = await logouts.listener();
  app.receiver.answerWith(() => ({ status: 500 }));
  await ended(app);
  await logouts.sender().send();
  const { rows } = await scene.world().pool.query<{ text: string }>('select logout_notice::text as text from logout_notice');
  for (const text of [...rows.map((row) => row.text), ...logouts.lines]) expect(text).not.toMatch(/eyJ|logout\+jwt|127\.0\.0\.1/);
  expect(logouts.lines).not.toEqual([]);
});
