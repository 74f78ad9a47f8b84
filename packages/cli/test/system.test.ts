import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { classifyFailure, explainFailure } from '../src/embedded/failure.ts';
import { parsePasswd } from '../src/embedded/server-user.ts';
import { firstClosedFolder } from '../src/embedded/traversable.ts';
import { explainDatabaseError } from '../src/launcher/explain-database.ts';
import { shorten, shownFrom } from '../src/launcher/log-follower.ts';
import { isPackageManager } from '../src/processes/ancestors.ts';
import { temporaryFolder } from './support/temporary.ts';

describe('what the system says', () => {
  test.each([
    ['could not write to file "pg_wal/xlogtemp.1": No space left on device', 'disk full'],
    ['LOG:  could not bind IPv4 address "127.0.0.1": Address already in use', 'port in use'],
    ['FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use', 'earlier server ending'],
    ['initdb: error: could not look up effective user ID 4711: user does not exist', 'nameless user'],
    ['initdb: error: could not create directory "x": Permission denied', 'not permitted'],
    ['PANIC:  could not locate a valid checkpoint record', 'other'],
  ] as const)('reads %j as %s, and its message names a fix', (line, failure) => {
    expect(classifyFailure(['something', line])).toBe(failure);
    const { message } = explainFailure({ step: 'postgres', ending: 'exit code 1', lines: [line], directory: '/data', port: 5432 });
    expect(message).toMatch(/\n {2}Fix: .+/);
    if (failure === 'other') expect(message).toContain(line);
  });

  test('knows a package manager by how it shows itself, and a shell by none of it', () => {
    for (const command of [
      ['npm exec pnpm@12 start'],
      ['node', '/usr/lib/node_modules/npm/bin/npx-cli.js', '-y', 'pnpm@12'],
      ['node', '/root/.npm/_npx/1/node_modules/.bin/pnpm', 'start'],
      ['node', '/x/pnpm/bin/pnpm.cjs', 'start'],
      ['node', '/x/pnpm/bin/pnpm.mjs', 'start'],
      ['/usr/local/bin/pnpm', 'start'],
    ]) {
      expect(isPackageManager(command), command.join(' ')).toBe(true);
    }
    for (const command of [['sh', '-c', 'pnpm start'], ['bash'], ['node', '/home/npm/app.js'], ['node', '/x/pnpm-lock.ts'], []]) {
      expect(isPackageManager(command), command.join(' ')).toBe(false);
    }
  });

  test('reads passwd with comments and with the negative numbers of macOS', () => {
    const users = parsePasswd('# comment\nnobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false\nroot:*:0:0::/root:/bin/sh\nbroken\n');
    expect(users).toEqual([
      { name: 'nobody', uid: 4294967294, gid: 4294967294 },
      { name: 'root', uid: 0, gid: 0 },
    ]);
  });

  test('finds the outermost folder that a user may not enter, by the class that applies to it', async () => {
    const folder = await temporaryFolder();
    const inner = join(folder, 'outer', 'inner');
    await mkdir(inner, { recursive: true });
    const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const stranger = { kind: 'unprivileged', name: 'stranger', uid: 54_321, gid: 54_321 } as const;
    const owner = { kind: 'unprivileged', name: 'owner', ...own } as const;
    expect(await firstClosedFolder(join(inner, 'not there yet'), stranger)).toBeNull();
    await chmod(inner, 0o700);
    await chmod(join(folder, 'outer'), 0o750);
    expect(await firstClosedFolder(inner, stranger)).toBe(join(folder, 'outer'));
    expect(await firstClosedFolder(inner, owner)).toBeNull();
    await chmod(inner, 0o077);
    expect(await firstClosedFolder(inner, owner)).toBe(inner);
    await chmod(inner, 0o700);
  });

  test('explains errors of the database, also of several addresses at once, and leaves others alone', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED ::1:5432'), { code: 'ECONNREFUSED' });
    const explained = explainDatabaseError(new AggregateError([refused], ''), 'postgresql://me:secret@db.example:5432/x?password=secret');
    expect(String(explained)).toContain('db.example:5432/x refuses (ECONNREFUSED: connect ECONNREFUSED ::1:5432)');
    expect(String(explained)).not.toContain('secret');
    const defect = new Error('syntax error');
    expect(explainDatabaseError(defect, 'postgresql://x')).toBe(defect);
  });

  test('shows a service’s warnings, and everything when verbose', () => {
    expect(shorten('{"level":"warn","msg":"slow"}', shownFrom(false, null))).toBe('warn  slow');
    expect(shorten('{"level":"info","msg":"fine"}', shownFrom(false, null))).toBeNull();
    expect(shorten('{"level":"info","msg":"fine"}', shownFrom(false, 'info'))).toBe('info  fine');
    expect(shorten('not json', shownFrom(false, null))).toBeNull();
    expect(shorten('not json', shownFrom(true, null))).toBe('not json');
    expect(shorten('{"level":"error","msg":"x"}', shownFrom(false, 'silent'))).toBeNull();
  });
});
