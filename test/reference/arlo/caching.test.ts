import { spawn } from 'node:child_process';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { nobody, openSampleWorld, type Ran, type SampleWorld } from './support/sample-client.ts';

let sample: SampleWorld;
beforeAll(async () => {
  sample = await openSampleWorld(inject('databaseUrl'));
});
afterAll(() => sample.stop());
beforeEach(() => sample.begin());

describe('a kept token', () => {
  test('is used by the next run without any request to the platform', async () => {
    const { accessToken } = await sample.signedIn();
    const before = await sample.oauthRequests();
    expect(await sample.run([], nobody)).toMatchObject({ code: 0, told: '' });
    expect(sample.api.calls).toEqual([accessToken]);
    expect(await sample.oauthRequests()).toEqual(before);
  });

  test('is used although its expiry here is past: the API alone knows', async () => {
    await sample.signedIn();
    await writeFile(sample.tokenFile(), JSON.stringify({ ...(await sample.kept()), expiresAt: 1 }));
    const before = await sample.oauthRequests();
    expect(await sample.run([], nobody)).toMatchObject({ code: 0 });
    expect(await sample.oauthRequests()).toEqual(before);
  });

  test.each(['revoked', 'expired'])('that is %s leads to one refresh, kept before its use, and the request succeeds', async (how) => {
    const old = await sample.signedIn();
    if (how === 'revoked') await sample.revoke(old.accessToken);
    else sample.api.orders.expired.add(old.accessToken);
    const before = await sample.oauthRequests();
    expect(await sample.run([], nobody)).toMatchObject({ code: 0, out: expect.stringContaining('a course') });
    const now = await sample.kept();
    expect(await sample.refreshesSince(before)).toBe(1);
    expect(now.refreshToken).not.toBe(old.refreshToken);
    expect(sample.api.calls).toEqual([old.accessToken, now.accessToken]);
    expect((await stat(sample.tokenFile())).mode & 0o777).toBe(0o600);
  });

  test('that is refused once more is not refreshed once more, and its pair is kept', async () => {
    const old = await sample.signedIn();
    sample.api.orders.refuseAll = true;
    const before = await sample.oauthRequests();
    expect(await sample.run([], nobody)).toMatchObject({ code: 1, told: expect.stringContaining('invalid_token') });
    expect(await sample.refreshesSince(before)).toBe(1);
    expect((await sample.kept()).refreshToken).not.toBe(old.refreshToken);
    expect(await sample.introspect((await sample.kept()).accessToken)).toMatchObject({ active: true });
  });

  test('that does not reach far enough is not refreshed: the scope to ask for is told', async () => {
    const old = await sample.signedIn();
    const before = await sample.oauthRequests();
    const refused = await sample.run(['--path', 'write/'], nobody);
    expect(refused).toMatchObject({
      code: 3,
      out: '',
      told: expect.stringContaining("login --scope 'openid profile offline_access read write'"),
    });
    expect(await sample.oauthRequests()).toEqual(before);
    expect(await sample.kept()).toEqual(old);

    await sample.signedIn('--scope', 'openid profile offline_access read write');
    expect(await sample.run(['--path', 'write/'], nobody)).toMatchObject({ code: 0 });
    expect(await sample.introspect(old.accessToken), 'what the new access replaced').toMatchObject({ active: false });
  });

  test('is sent to nothing but the API it is for', async () => {
    await sample.signedIn();
    for (const path of ['http://127.0.0.1:1/', '../other/', '//127.0.0.1:1/things/'])
      expect(await sample.run(['--path', path], nobody), path).toMatchObject({ code: 2 });
    expect(sample.api.calls).toEqual([]);
  });
});

describe('two runs at once', () => {
  test('with a spent token refresh once, and the grant lives on', async () => {
    const old = await sample.signedIn();
    await sample.revoke(old.accessToken);
    const before = await sample.oauthRequests();
    sample.api.orders.holdUntil = 2;
    const both = await Promise.all([sample.run([], nobody), sample.run([], nobody)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await sample.refreshesSince(before)).toBe(1);
    const now = await sample.kept();
    expect(sample.api.calls.slice(2)).toEqual([now.accessToken, now.accessToken]);
    expect(await sample.introspect(now.refreshToken)).toMatchObject({ active: true });
  });

  test('are not held up by the lock of one that died', async () => {
    const old = await sample.signedIn();
    await sample.revoke(old.accessToken);
    const gone = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => gone.once('exit', resolve));
    const lock = `${sample.tokenFile()}.lock`;
    await mkdir(lock);
    await writeFile(join(lock, 'owner.json'), JSON.stringify({ pid: gone.pid, host: hostname(), id: crypto.randomUUID() }));
    const both = await Promise.all([sample.run([], nobody), sample.run([], nobody)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await sample.introspect((await sample.kept()).refreshToken)).toMatchObject({ active: true });
  });
});

describe('at the example resource, through the server', () => {
  const atExample = (args: readonly string[], person?: (url: string) => Promise<unknown>): Promise<Ran> =>
    sample.run(args, person, sample.demo.resource);

  test('a kept token is used, a revoked one refreshed once', async () => {
    expect(await atExample([])).toMatchObject({ code: 0, out: expect.stringContaining('First aid') });
    const old = await sample.kept();
    const before = await sample.oauthRequests();
    expect(await atExample(['--path', 'contacts/562/'], nobody)).toMatchObject({ code: 0, out: expect.stringContaining('Paula') });
    expect(await sample.refreshesSince(before)).toBe(0);
    await sample.revoke(old.accessToken);
    const after = await sample.oauthRequests();
    expect(await atExample([], nobody)).toMatchObject({ code: 0, out: expect.stringContaining('First aid') });
    expect(await sample.refreshesSince(after)).toBe(1);
  });

  test('a token without the scope is not refreshed, and the scope is named', async () => {
    expect(await atExample(['login', '--scope', 'openid profile offline_access'])).toMatchObject({ code: 0 });
    const before = await sample.oauthRequests();
    expect(await atExample([], nobody)).toMatchObject({
      code: 3,
      told: expect.stringContaining("login --scope 'openid profile offline_access read'"),
    });
    expect(await sample.refreshesSince(before)).toBe(0);
  });
});
