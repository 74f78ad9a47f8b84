import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase } from '@grantlog/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type EmbeddedPostgres, Problem, removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/index.ts';
import { identify } from '../src/processes/identity.ts';
import { processesWith, runScript, type Script } from './support/process.ts';
import { eventually, temporaryFolder } from './support/temporary.ts';

const needsRoot = test.skipIf(process.getuid?.() !== 0);
const patience = 60_000;

const mountTinyDisk = (folder: string, size: string): void => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', [folder]));
};

/** Containers often run root without the right to mount. */
const mayMount = (): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'grantlog-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
};
const needsTinyDisk = test.skipIf(process.getuid?.() !== 0 || process.platform !== 'linux' || !mayMount());

const start = async (dataRoot: string, more: { port?: number; signal?: AbortSignal; said?: string[] } = {}): Promise<EmbeddedPostgres> => {
  const { said, ...options } = more;
  const postgres = await startEmbeddedPostgres({
    dataRoot,
    lifetime: 'kept',
    settings: { fsync: 'off' },
    waitMs: 500,
    onProgress: (message) => said?.push(message),
    ...options,
  });
  onTestFinished(() => postgres.stop());
  return postgres;
};

const untilReady = async (script: Script): Promise<number> => {
  await eventually(`ready, not: ${script.output()}`, () => /ready \d+/.test(script.output()));
  return Number(/ready (\d+)/.exec(script.output())?.[1]);
};

/** Kills the script when it has made a server, which then has nobody. */
const orphanServer = async (dataRoot: string): Promise<number> => {
  const script = runScript('hold-postgres.ts', [dataRoot]);
  const server = await untilReady(script);
  script.child.kill('SIGKILL');
  await script.exitCode;
  expect(identify(server)).not.toBeNull();
  return server;
};

describe('the embedded Postgres', () => {
  test(
    'starts, answers, stops without a process left, and keeps password, port and data for the next start',
    async () => {
      const dataRoot = join(await temporaryFolder(), 'postgres');
      const first = await start(dataRoot);
      await createDatabase({ connectionString: first.url, name: 'kept_name' });
      expect((await stat(join(dataRoot, 'password'))).mode & 0o777).toBe(0o600);
      await first.stop();
      await first.stop();
      expect(processesWith(dataRoot)).toEqual([]);
      const said: string[] = [];
      const second = await start(dataRoot, { said });
      expect(second.url).toBe(first.url);
      expect(said).toEqual([]);
      expect(await readdir(join(dataRoot, 'data', 'base'))).toContain('5');
      await expect(createDatabase({ connectionString: second.url.replace(/:[^:@]+@/, ':wrong@'), name: 'x' })).rejects.toMatchObject({
        code: '28P01',
      });
    },
    patience,
  );

  test(
    'never runs as root and listens on loopback only',
    async () => {
      const dataRoot = join(await temporaryFolder(), 'postgres');
      const { pid, url } = await start(dataRoot);
      if (process.platform === 'linux') expect((await stat(`/proc/${pid}`)).uid).not.toBe(0);
      expect(new URL(url).hostname).toBe('127.0.0.1');
      const lines = (await readFile(join(dataRoot, 'postgres.log'), 'utf8')).split('\n').filter((line) => line.includes('listening on'));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain('"127.0.0.1"');
    },
    patience,
  );

  test(
    'throws away everything where that is its lifetime',
    async () => {
      const folder = await temporaryFolder();
      const postgres = await startEmbeddedPostgres({
        dataRoot: join(folder, 'postgres'),
        lifetime: 'throw-away',
        onProgress: () => undefined,
      });
      await postgres.stop();
      expect(await readdir(folder)).toEqual([]);
    },
    patience,
  );

  test(
    'left behind by a killed process is recognised, ended and replaced',
    async () => {
      const dataRoot = join(await temporaryFolder(), 'postgres');
      const orphan = await orphanServer(dataRoot);
      const said: string[] = [];
      const next = await start(dataRoot, { said });
      expect(identify(orphan)).toBeNull();
      expect(next.pid).not.toBe(orphan);
      expect(said).toContain(`ending the database server that an earlier run left behind (process ${orphan})`);
    },
    patience,
  );

  test(
    'that was killed itself is started again although its number belongs to another process now',
    async () => {
      const dataRoot = join(await temporaryFolder(), 'postgres');
      const first = await start(dataRoot);
      const file = join(dataRoot, 'data', 'postmaster.pid');
      const lines = (await readFile(file, 'utf8')).split('\n');
      await first.stop();
      // Of the same user: Postgres believes that a process it may not signal cannot be a Postgres.
      const { uid, gid } = await stat(join(dataRoot, 'data'));
      const bystander = spawn('sleep', ['600'], { uid, gid, cwd: '/', stdio: 'ignore' });
      onTestFinished(() => void bystander.kill('SIGKILL'));
      await writeFile(file, [String(bystander.pid), ...lines.slice(1)].join('\n'));
      const second = await start(dataRoot);
      expect(second.url).toBe(first.url);
      expect(identify(bystander.pid ?? 0)).not.toBeNull();
    },
    patience,
  );

  test(
    'is made once by two first starts at once; the second waits, then says who has it',
    async () => {
      const dataRoot = join(await temporaryFolder(), 'postgres');
      const scripts = [runScript('hold-postgres.ts', [dataRoot, '3000']), runScript('hold-postgres.ts', [dataRoot, '3000'])];
      await eventually('both have settled', () => scripts.every((script) => /ready|is used by process/.test(script.output())));
      const winner = scripts.find((script) => script.output().includes('ready '));
      const loser = scripts.find((script) => script !== winner);
      expect(loser?.output()).toContain(`waiting for process ${winner?.pid}`);
      expect(loser?.output()).toContain(`is used by process ${winner?.pid}`);
      expect(await loser?.exitCode).toBe(1);
      winner?.child.kill('SIGTERM');
      expect(await winner?.exitCode).toBe(0);
      expect(processesWith(dataRoot)).toEqual([]);
    },
    patience,
  );

  test(
    'is handed over when its holder ends while another start waits',
    async () => {
      const dataRoot = join(await temporaryFolder(), 'postgres');
      const first = runScript('hold-postgres.ts', [dataRoot]);
      await untilReady(first);
      const second = runScript('hold-postgres.ts', [dataRoot]);
      await eventually('the second waits', () => second.output().includes('waiting for process'));
      first.child.kill('SIGTERM');
      await untilReady(second);
      second.child.kill('SIGTERM');
      expect(await second.exitCode).toBe(0);
    },
    patience,
  );

  test(
    'leaves nothing that looks like a database when its making is interrupted',
    async () => {
      const dataRoot = join(await temporaryFolder(), 'postgres');
      const interrupt = new AbortController();
      const said = { push: () => interrupt.abort(new Error('enough')) } as unknown as string[];
      await expect(start(dataRoot, { signal: interrupt.signal, said })).rejects.toThrow('enough');
      expect(await readdir(dataRoot)).not.toContain('data');
      expect(processesWith(dataRoot)).toEqual([]);
      await start(dataRoot);
    },
    patience,
  );

  test(
    'names the port when a chosen one is in use, and chooses another when the kept one is',
    async () => {
      const dataRoot = join(await temporaryFolder(), 'postgres');
      const first = await start(dataRoot);
      await first.stop();
      const port = Number(new URL(first.url).port);
      const squatter = createServer().listen(port, '127.0.0.1');
      onTestFinished(() => void squatter.close());
      await eventually('the squatter listens', () => squatter.listening);
      const refused = await start(dataRoot, { port }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Problem);
      expect(String(refused)).toContain(`127.0.0.1:${port}: the port is in use`);
      expect(new URL((await start(dataRoot)).url).port).not.toBe(String(port));
    },
    patience,
  );

  test(
    'that cannot start says in its own words why, and which setting helps',
    async () => {
      const dataRoot = join(await temporaryFolder(), 'postgres');
      const started = startEmbeddedPostgres({
        dataRoot,
        lifetime: 'throw-away',
        settings: { shared_buffers: 'plenty' },
        onProgress: () => undefined,
      });
      await expect(started).rejects.toThrow(/invalid value for parameter "shared_buffers"[\s\S]*DATABASE_URL/);
      expect(processesWith(dataRoot)).toEqual([]);
    },
    patience,
  );

  needsRoot(
    'lives in a system folder when root works under a folder closed to others, and goes with its removal (needs root)',
    async () => {
      const closed = await temporaryFolder(0o700);
      const dataRoot = join(closed, 'postgres');
      const said: string[] = [];
      const first = await start(dataRoot, { said });
      expect(said.join('\n')).toContain(`${closed} is closed to unprivileged users`);
      const pointer: unknown = JSON.parse(await readFile(join(dataRoot, 'location.json'), 'utf8'));
      const { directory } = pointer as { directory: string };
      expect(await readdir(directory)).toContain('data');
      await first.stop();
      const orphan = await orphanServer(dataRoot);
      const second = await start(dataRoot);
      expect(identify(orphan)).toBeNull();
      expect(second.url).toBe(first.url);
      await expect(removeEmbeddedPostgres(dataRoot)).rejects.toThrow(`used by process ${process.pid}`);
      await second.stop();
      await removeEmbeddedPostgres(dataRoot);
      await expect(stat(directory)).rejects.toMatchObject({ code: 'ENOENT' });
      expect(await readdir(closed)).toEqual([]);
    },
    patience,
  );

  needsTinyDisk(
    'names the setting when the disk is too small to begin with, or full when it is started (needs to mount a small disk)',
    async () => {
      const disk = await temporaryFolder();
      mountTinyDisk(disk, '40m');
      await expect(start(join(disk, 'postgres'))).rejects.toThrow(/is full[\s\S]*DATA_DIR/);
      execFileSync('mount', ['-o', 'remount,size=400m', disk]);
      const postgres = await start(join(disk, 'postgres'));
      await postgres.stop();
      await writeFile(join(disk, 'ballast'), Buffer.alloc(400_000_000)).catch(() => undefined);
      await expect(start(join(disk, 'postgres'))).rejects.toThrow(/is full[\s\S]*DATA_DIR/);
    },
    patience,
  );

  needsRoot(
    'of a data folder removed by hand is replaced, and that of a copied folder is left to the original (needs root)',
    async () => {
      const closed = await temporaryFolder(0o700);
      const dataRoot = join(closed, 'postgres');
      const first = await start(dataRoot);
      await first.stop();
      const copy = join(closed, 'copy');
      await mkdir(copy);
      await writeFile(join(copy, 'location.json'), await readFile(join(dataRoot, 'location.json')));
      await expect(start(copy)).rejects.toThrow(`is a copy of ${dataRoot}`);
      await expect(removeEmbeddedPostgres(copy)).rejects.toThrow(`is a copy of ${dataRoot}`);
      await rm(dataRoot, { recursive: true });
      const again = await start(dataRoot);
      expect(again.url).not.toBe(first.url);
      await again.stop();
      await removeEmbeddedPostgres(dataRoot);
    },
    patience,
  );

  needsRoot(
    'made by another user is run as that user (needs root)',
    async () => {
      const folder = await temporaryFolder();
      await chmod(folder, 0o755);
      const dataRoot = join(folder, 'postgres');
      const { pid, stop } = await start(dataRoot);
      expect((await stat(`/proc/${pid}`)).uid).toBe((await stat(join(dataRoot, 'data'))).uid);
      await stop();
    },
    patience,
  );
});
