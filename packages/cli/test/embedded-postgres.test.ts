import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createDatabase } from '@grantlog/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Problem, startEmbeddedPostgres } from '../src/index.ts';
import { patience, start } from './support/embedded-postgres.ts';
import { processesWith } from './support/process.ts';
import { eventually, temporaryFolder } from './support/temporary.ts';

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
});
