import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const sample = join(import.meta.dirname, '..', '..', 'example-clients', 'src', 'main.ts');

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grantlog-sample-'));
  file = join(folder, 'kept', 'tokens.json');
  await mkdir(join(folder, 'kept'), { mode: 0o700 });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const good = {
  issuer: 'http://127.0.0.1:9/arlo',
  clientId: 'app',
  scope: 'openid read',
  expiresAt: null,
  accessToken: 'canary-access',
  refreshToken: 'canary-refresh',
};

/** Runs the sample where no server is: whatever it says, it says by what lies on the disk. */
const run = async (command: string) => {
  const child = spawn(process.execPath, [sample, command, '--browser', 'none', '--tokens', file], {
    env: {
      PATH: process.env['PATH'],
      DATA_DIR: folder,
      EXAMPLE_ISSUER: good.issuer,
      EXAMPLE_CLIENT_ID: good.clientId,
      EXAMPLE_REDIRECT_URI: 'http://127.0.0.1/callback',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, told, code] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  return { code, out: out.join(''), told: told.join('') };
};

describe('a damaged file of tokens', () => {
  test.each([
    ['is empty', ''],
    ['was cut off', JSON.stringify(good).slice(0, 90)],
    ['holds no object', 'null'],
    ['holds a list', '[]'],
    ['lacks the token', JSON.stringify({ ...good, accessToken: undefined })],
    ['has an empty token', JSON.stringify({ ...good, accessToken: '' })],
    ['has a token that no header carries', JSON.stringify({ ...good, accessToken: 'canary\naccess' })],
    ['has a refresh token of another kind', JSON.stringify({ ...good, refreshToken: 5 })],
    ['is no text', Buffer.from([0xff, 0xfe, 0x00])],
  ])(
    'that %s is told of with what to do, is left as it is, and nothing of it is shown',
    async (_, content) => {
      await writeFile(file, content, { mode: 0o600 });
      for (const command of ['call', 'status', 'login', 'refresh', 'revoke']) {
        const { code, out, told } = await run(command);
        expect([command, code, out]).toEqual([command, 1, '']);
        expect(told).toContain(`${file} holds no tokens\n  Fix: move it away and run example login`);
        expect(told).not.toMatch(/canary|SyntaxError|\n {4}at /);
      }
      expect(await readFile(file)).toEqual(Buffer.from(content));
      expect(await readdir(join(folder, 'kept'))).toEqual(['tokens.json']);
    },
    60_000,
  );
});

test.each(['', '{', 'null', '{"pid":1}'])(
  'a lock whose owner a power cut made unreadable (%j) holds nobody up',
  async (owner) => {
    await mkdir(`${file}.lock`);
    await writeFile(join(`${file}.lock`, 'owner.json'), owner);
    expect(await run('refresh')).toMatchObject({ code: 3, told: expect.stringContaining('There are no tokens') });
    await mkdir(`${file}.lock`).then(
      () => undefined,
      () => expect.fail('the lock was not given back'),
    );
  },
  20_000,
);
