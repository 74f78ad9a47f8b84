import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { processesWith, runScript, type Script } from './support/process.ts';
import { eventually, temporaryFolder } from './support/temporary.ts';

const patience = 90_000;

/** A folder that only its owner may enter: as root, the demo's database then lives in a system folder. */
const setUp = async (...parameters: readonly string[]): Promise<{ readonly folder: string; readonly demo: Script }> => {
  const folder = await temporaryFolder(0o700);
  const environment = { TMPDIR: folder, DATA_DIR: join(folder, 'none'), DATABASE_URL: 'postgres://nobody@127.0.0.1:9/never-touched' };
  return { folder, demo: runScript('../../src/main.ts', ['demo', ...parameters], environment) };
};

const nothingIsLeft = async (folder: string, systemFolders: readonly string[]): Promise<void> => {
  expect(await readdir(folder)).toEqual([]);
  for (const name of systemFolders) await expect(readdir(name)).rejects.toMatchObject({ code: 'ENOENT' });
  await eventually('every process has ended', () => [folder, ...systemFolders].every((name) => processesWith(name).length === 0));
};

const systemFoldersIn = (output: string): readonly string[] =>
  [...output.matchAll(/database lives in (\S+)/g)].map((match) => match[1] ?? '');

describe('a demo without a server', () => {
  test(
    'runs on a database of its own, calls its example API as long as the access lasts, tells the story itself, and leaves nothing behind',
    async () => {
      const { folder, demo } = await setUp('--platform', 'arlo');
      expect(await demo.exitCode, demo.output()).toBe(0);
      expect(demo.output()).toContain('scope=openid%20profile%20offline_access%20read&');
      const calls = demo.output().matchAll(/→ GET \S+\/arlo\/api\/\S+\/events\/ Authorization: Bearer \S+…\n {3}← (.+)/g);
      expect([...calls].map(([, answer]) => answer)).toEqual([
        expect.stringMatching(/^200 \{ "href": .+"First aid"/),
        expect.stringMatching(/^401 Bearer realm="arlo", error="invalid_token", .*scope="read"/),
      ]);
      expect(demo.output()).toMatch(/Everything held[\s\S]*grant\.authorized[\s\S]*grant\.revoked/);
      await nothingIsLeft(folder, systemFoldersIn(demo.output()));
    },
    patience,
  );

  test(
    'leaves nothing behind when it is told to end in the middle',
    async () => {
      const { folder, demo } = await setUp();
      await eventually('it migrates', () => demo.output().includes('migrating the database'), 40_000);
      demo.child.kill('SIGINT');
      expect(await demo.exitCode).toBe(130);
      await nothingIsLeft(folder, systemFoldersIn(demo.output()));
    },
    patience,
  );
});
