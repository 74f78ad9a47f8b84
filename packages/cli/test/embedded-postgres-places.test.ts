import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { removeEmbeddedPostgres } from '../src/index.ts';
import { identify } from '../src/processes/identity.ts';
import { orphanServer, patience, start } from './support/embedded-postgres.ts';
import { temporaryFolder } from './support/temporary.ts';

const needsRoot = test.skipIf(process.getuid?.() !== 0);

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

describe('the embedded Postgres', () => {
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
