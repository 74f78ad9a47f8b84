import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { identify, isAlive, ownIdentity, parseIdentity } from '../src/processes/identity.ts';
import { LockHeld, lock, lockHolder, tryLock } from '../src/processes/lock.ts';
import { runScript } from './support/process.ts';
import { temporaryFolder } from './support/temporary.ts';

const deadOwner = { pid: process.pid, startedAt: 'another boot/1' };

const plant = async (path: string, owner: unknown): Promise<void> => {
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'owner.json'), typeof owner === 'string' ? owner : JSON.stringify(owner));
};

describe('the lock', () => {
  test('has one holder however many try at once, also when a dead owner must be buried first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 24 }), fc.boolean(), async (tries, stale) => {
        const path = join(await temporaryFolder(), 'lock');
        if (stale) await plant(path, deadOwner);
        const attempts = await Promise.all(Array.from({ length: tries }, () => tryLock(path)));
        const acquired = attempts.filter((attempt) => attempt.outcome === 'acquired');
        expect(acquired).toHaveLength(1);
        expect(await lockHolder(path)).toEqual(ownIdentity());
        await acquired[0]?.release();
        expect(await lockHolder(path)).toBeNull();
      }),
      { numRuns: 30 },
    );
  });

  test('excludes processes from each other, and survives one that is killed while it holds it', async () => {
    const folder = await temporaryFolder();
    const [path, journal] = [join(folder, 'lock'), join(folder, 'journal')];
    const scripts = Array.from({ length: 4 }, (_, index) => runScript('contend.ts', [path, journal, '6', index === 0 ? 'die' : 'live']));
    const codes = await Promise.all(scripts.map((script) => script.exitCode));
    expect(codes).toEqual([null, 0, 0, 0]);
    const steps = (await readFile(journal, 'utf8')).trim().split('\n');
    expect(steps).toHaveLength(2 * (2 + 3 * 6));
    for (let index = 0; index < steps.length; index += 2) {
      expect(steps[index]?.startsWith('enter ')).toBe(true);
      expect(steps[index + 1]).toBe(steps[index]?.replace('enter', 'leave'));
    }
  }, 60_000);

  test('of a process whose number somebody else has now is taken over', async () => {
    const path = join(await temporaryFolder(), 'lock');
    await plant(path, deadOwner);
    expect((await tryLock(path)).outcome).toBe('acquired');
  });

  test('with an unreadable owner, as after a power cut, is taken over again and again', async () => {
    const path = join(await temporaryFolder(), 'lock');
    for (let round = 0; round < 3; round += 1) {
      await plant(path, '');
      const attempt = await tryLock(path);
      expect(attempt.outcome).toBe('acquired');
      if (attempt.outcome === 'acquired') await attempt.release();
    }
  });

  test('of a living process is waited for, then refused with its owner', async () => {
    const path = join(await temporaryFolder(), 'lock');
    await lock({ path, waitMs: 0 });
    const told: number[] = [];
    await expect(lock({ path, waitMs: 250, onWait: (owner) => told.push(owner.pid) })).rejects.toBeInstanceOf(LockHeld);
    expect(told).toEqual([process.pid]);
  });

  test('leaves nothing beside itself once it is released', async () => {
    const folder = await temporaryFolder();
    const held = await lock({ path: join(folder, 'lock'), waitMs: 0 });
    await held.release();
    await held.release();
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a process identity', () => {
  test('tells this process from a later one with its number', () => {
    expect(isAlive(ownIdentity())).toBe(true);
    expect(isAlive({ ...ownIdentity(), startedAt: 'earlier' })).toBe(false);
  });

  test('does not exist for a process that has ended, reaped or not', async () => {
    const script = runScript('contend.ts', ['x', 'y', '0']);
    await script.exitCode;
    expect(identify(script.pid)).toBeNull();
  });

  test('is parsed from what was kept, and from nothing else', () => {
    expect(parseIdentity(JSON.parse(JSON.stringify(ownIdentity())))).toEqual(ownIdentity());
    for (const wrong of [null, 7, {}, { pid: '7', startedAt: 'x' }, { pid: 0, startedAt: 'x' }, { pid: -1, startedAt: 'x' }, { pid: 7 }]) {
      expect(parseIdentity(wrong)).toBeNull();
    }
  });
});
