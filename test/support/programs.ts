import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const find = (name: string): string | null => {
  const { status, stdout } = spawnSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
};

const canInstall = (): boolean => process.getuid?.() === 0 && existsSync('/etc/debian_version');

/**
 * A program that some tests need and a machine may lack: found, or installed where we are root on Debian, or null with a
 * loud word. With GRANTLOG_TEST_REQUIRE_ALL set, as CI does, null is not an answer.
 *
 * @throws Error where it is required and cannot be had.
 */
export const ensureProgram = (name: 'redis-server' | 'chromium'): string | null => {
  const found = find(name);
  if (found !== null) return found;
  if (canInstall()) {
    process.stderr.write(`installing ${name} for the tests\n`);
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit' });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    const installed = find(name);
    if (installed !== null) return installed;
  }
  if (process.env['GRANTLOG_TEST_REQUIRE_ALL'] !== undefined) throw new Error(`${name} is required and could not be installed`);
  process.stderr.write(`\n*** ${name} IS MISSING: the tests that need it are skipped by name ***\n\n`);
  return null;
};
