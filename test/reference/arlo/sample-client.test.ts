import { chmod, readdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { nobody, openSampleWorld, type SampleWorld } from './support/sample-client.ts';

let sample: SampleWorld;
beforeAll(async () => {
  sample = await openSampleWorld(inject('databaseUrl'));
});
afterAll(() => sample.stop());
beforeEach(() => sample.begin());

describe('the file of the tokens', () => {
  test('is written for its owner alone, in a folder for its owner alone, and leaves no draft', async () => {
    const first = await sample.run([]);
    expect(first).toMatchObject({ code: 0, out: expect.stringContaining('a course') });
    expect((await stat(sample.tokenFile())).mode & 0o777).toBe(0o600);
    expect((await stat(sample.tokenFolder())).mode & 0o777).toBe(0o700);
    expect(await readdir(sample.tokenFolder())).toEqual(['tokens.json']);
    expect(Object.keys(await sample.kept())).not.toContain('idToken');
  });

  test.each([
    ['file', '640', () => sample.tokenFile()],
    ['file', '604', () => sample.tokenFile()],
    ['folder', '750', () => sample.tokenFolder()],
  ])('is refused where others can reach the %s (%s), and the way to mend it is told', async (_, mode, path) => {
    await sample.signedIn();
    await chmod(path(), Number.parseInt(mode, 8));
    const refused = await sample.run([], nobody);
    expect(refused).toMatchObject({ code: 1, out: '', told: expect.stringContaining('chmod') });
    expect(sample.api.calls).toEqual([]);
  });

  test('is refused where it is a link, or belongs to another client', async () => {
    await sample.signedIn();
    expect(await sample.run(['--client-id', 'another'], nobody)).toMatchObject({
      code: 1,
      told: expect.stringContaining('not of another'),
    });
    await symlink(sample.tokenFile(), join(sample.tokenFolder(), 'link.json'));
    const linked = await sample.run(['--tokens', join(sample.tokenFolder(), 'link.json')], nobody);
    expect(linked).toMatchObject({ code: 1, told: expect.stringContaining('is a link') });
    expect(sample.api.calls).toEqual([]);
  });

  test('is described by status without a request and without a token', async () => {
    await sample.signedIn();
    const before = await sample.oauthRequests();
    const told = await sample.run(['status'], nobody);
    expect(told).toMatchObject({
      code: 0,
      out: expect.stringMatching(/scopes +openid profile offline_access read\n.*in 3\d{3} s.*refresh token +kept/s),
    });
    expect(await sample.oauthRequests()).toEqual(before);
  });
});

describe('the person', () => {
  test('is asked again where the access has ended at the server', async () => {
    const old = await sample.signedIn();
    await sample.revoke(old.refreshToken);
    const again = await sample.run([]);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('a course'), told: expect.stringContaining('asked again') });
    expect((await sample.kept()).refreshToken).not.toBe(old.refreshToken);
  });

  test('is asked again at once where there is no refresh token', async () => {
    const scope = ['--scope', 'openid profile read'];
    const old = await sample.signedIn(...scope);
    expect(old.refreshToken).toBeNull();
    await sample.revoke(old.accessToken);
    expect(await sample.run(scope)).toMatchObject({ code: 0, out: expect.stringContaining('a course') });
    expect(sample.api.calls).toEqual([old.accessToken, (await sample.kept()).accessToken]);
  });

  test('who says no is believed, and no token is kept', async () => {
    expect(await sample.run([], sample.decide('deny'))).toMatchObject({ code: 3, out: '', told: expect.stringContaining('access_denied') });
    expect(await sample.kept().catch(() => null)).toBeNull();
  });

  test('is waited for past answers to other requests, and an answer of another server ends it before the code is sent', async () => {
    const statuses: number[] = [];
    const attacked = await sample.run([], async (url) => {
      const callback = await sample.consent(url, 'allow');
      const changed = (name: string, value: string): URL => {
        const other = new URL(callback);
        other.searchParams.set(name, value);
        return other;
      };
      for (const each of [changed('state', 'guessed'), new URL('/favicon.ico', callback), changed('iss', 'https://evil.example')])
        statuses.push((await fetch(each)).status);
    });
    expect(statuses).toEqual([400, 404, 200]);
    expect(attacked).toMatchObject({ code: 1, out: '' });
    expect(await sample.kept().catch(() => null)).toBeNull();
  });
});

test('refresh and revoke do what they say, and revoke ends the access at the server before it forgets', async () => {
  const old = await sample.signedIn();
  expect(await sample.run(['refresh'], nobody)).toMatchObject({ code: 0 });
  const now = await sample.kept();
  expect(now.refreshToken).not.toBe(old.refreshToken);
  expect(await sample.run(['revoke'], nobody)).toMatchObject({ code: 0, out: expect.stringContaining('has ended') });
  expect(await sample.introspect(now.accessToken)).toMatchObject({ active: false });
  expect(await sample.kept().catch(() => null)).toBeNull();
  expect(await sample.run(['refresh'], nobody)).toMatchObject({ code: 3, told: expect.stringContaining('example login') });
});

test('a secret on the command line is refused', async () => {
  expect(await sample.run(['--client-secret=abc'], nobody)).toMatchObject({
    code: 2,
    told: expect.stringContaining('EXAMPLE_CLIENT_SECRET'),
  });
});
