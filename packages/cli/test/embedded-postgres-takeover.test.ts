import { spawn } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { identify } from '../src/processes/identity.ts';
import { orphanServer, patience, start, untilReady } from './support/embedded-postgres.ts';
import { processesWith, runScript } from './support/process.ts';
import { eventually, temporaryFolder } from './support/temporary.ts';

describe('the embedded Postgres', () => {
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
});
