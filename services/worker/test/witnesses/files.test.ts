import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlatformId } from '@grantlog/eventsourcing';
import { listWitnesses, readAuditTree } from '@grantlog/postgres';
import { readCheckpoint, signCheckpoint } from '@grantlog/transparency';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { FileWitness } from '../../src/witnesses/witness.ts';
import { createWitnessing, type Witnessing } from '../../src/witnesses/witnessing.ts';
import { logKeyOf, originOf, signedTrees, signerOf } from '../support/signed-tree.ts';
import { createWorld, platform, type World } from '../support/world.ts';

let world: World;
let trees: ReturnType<typeof signedTrees>;
let folder: string;
let witness: FileWitness;
let witnessing: Witnessing;
let logged: { readonly level: string; readonly about: unknown }[];

const start = (): Witnessing => {
  const note = (level: string) => (about: unknown) => void logged.push({ level, about });
  return createWitnessing({
    pool: world.pool,
    egress: { request: async () => ({ kind: 'failed', reason: 'other', durationMs: 0 }) },
    now: Date.now,
    random: () => 0.5,
    logger: { info: note('info'), warn: note('warn'), error: note('error') } as never,
    onTold: () => {},
    pauseMs: 60_000,
  });
};
beforeEach(async () => {
  world = await createWorld(inject('databaseUrl'));
  trees = signedTrees(world);
  folder = await mkdtemp(join(tmpdir(), 'grantlog-witness-'));
  witness = { kind: 'file', id: `file:${folder}`, folder };
  logged = [];
  witnessing = start();
});
afterEach(async () => {
  await witnessing.stop();
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

const file = (name: PlatformId = platform): string => join(folder, `${name}.checkpoints`);
const tell = async (): Promise<void> => {
  await world.pool.query('update audit_witness set due_at = now()');
  await witnessing.tell(witness);
};
const grow = async (batches = 1): Promise<number> => {
  await trees.live(platform, batches * 4);
  await trees.sign(4);
  return (await trees.latest(platform)).size;
};
/** The sizes of the checkpoints in a file, each of them verified; what is none is told apart by null. */
const sizes = async (name: PlatformId = platform): Promise<readonly (number | null)[]> =>
  (await readFile(file(name), 'utf8'))
    .split(/(?<=\n— [^\n]+\n)\n/)
    .filter((text) => text !== '')
    .map((text) => {
      const reading = readCheckpoint(text, { key: logKeyOf(name) });
      return reading.outcome === 'verified' ? reading.checkpoint.size : null;
    });
const standing = async () => {
  const tree = await readAuditTree(world.pool, platform);
  return tree === null ? null : (await listWitnesses(world.pool, tree))[0];
};

describe('a file', () => {
  test('gets each checkpoint once, whole, from the first that it is told of', async () => {
    const first = await grow();
    await tell();
    await tell();
    const last = await grow(3);
    await tell();
    await witnessing.stop();
    witnessing = start();
    await tell();
    expect(await sizes()).toEqual([first, first + 4, first + 8, last]);
    expect(await standing()).toMatchObject({ size: last, failure: null });
  });

  test('of its own has each platform', async () => {
    const along = 'along' as PlatformId;
    await world.openPlatform(along);
    await trees.live(along, 3);
    const size = await grow();
    await tell();
    expect((await readdir(folder)).sort()).toEqual(['along.checkpoints', 'arlo.checkpoints']);
    expect(await sizes(along)).toEqual([3]);
    expect(await sizes()).toEqual([size]);
  });

  test('gets a checkpoint once, although what is known of it was lost', async () => {
    const size = await grow();
    await tell();
    await world.pool.query('delete from audit_witness');
    await tell();
    expect(await sizes()).toEqual([size]);
    expect(await standing()).toMatchObject({ size });
  });

  test('gets a checkpoint once from several workers', async () => {
    const workers = [witnessing, start(), start()];
    const first = await grow();
    await Promise.all(workers.flatMap((each) => [each.tell(witness), each.tell(witness)]));
    expect(await sizes()).toEqual([first]);
    await Promise.all(workers.map((each) => each.stop()));
  });

  test('that lost the end of a note in a crash, wherever, gets it anew and loses nothing', async () => {
    const first = await grow();
    await tell();
    const before = (await readFile(file())).byteLength;
    const second = await grow();
    await tell();
    const whole = await readFile(file(), 'utf8');
    const length = Buffer.byteLength(whole);
    for (let end = before; end < length; end += end > length - 8 ? 1 : 13) {
      await truncate(file(), end);
      await world.pool.query('update audit_witness set size = $1, root = null', [first]);
      await tell();
      const text = await readFile(file(), 'utf8');
      // The last note is whole and ended, and nothing of what there was is gone.
      expect(text.startsWith(whole.slice(0, 200))).toBe(true);
      expect(text.endsWith(`\n\n${(await trees.latest(platform)).note}\n`)).toBe(true);
      expect((await sizes()).filter((size) => size !== null).slice(0, 1)).toEqual([first]);
      await writeFile(file(), whole);
    }
    expect(await standing()).toMatchObject({ size: second, failure: null });
  });

  test('whose torn note was ended, but not written again, gets it anew', async () => {
    await grow();
    await tell();
    const second = await grow();
    const { note } = await trees.latest(platform);
    // The signature has lost some bytes, and what is left is base64 still.
    await appendFile(file(), `${note.trimEnd().slice(0, -8)}\n\n`);
    await tell();
    const text = await readFile(file(), 'utf8');
    expect(text.endsWith(`\n\n${note}\n`)).toBe(true);
    expect(await standing()).toMatchObject({ size: second });
  });

  test('is gone on with where there is something else in it', async () => {
    await writeFile(file(), 'kept by the archive\n');
    const size = await grow();
    await tell();
    await tell();
    expect(await readFile(file(), 'utf8')).toBe(`kept by the archive\n\n${(await trees.latest(platform)).note}\n`);
    expect(await standing()).toMatchObject({ size });
  });

  test('in a folder that is not there yet is told of when it is', async () => {
    await rm(folder, { recursive: true });
    await grow();
    await tell();
    expect(await standing()).toMatchObject({ size: 0, failure: 'unwritable', conflictedAt: null });
    expect(JSON.stringify(logged)).toContain('ENOENT');
    // An unmounted place is not made up for by a folder of our own.
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
    folder = await mkdtemp(join(tmpdir(), 'grantlog-witness-'));
    witness = { ...witness, folder };
    const size = await grow();
    await tell();
    expect(await sizes()).toEqual([size]);
    expect(await standing()).toMatchObject({ size, failure: null });
  });

  test('is told of another lineage as of another log', async () => {
    const before = signCheckpoint(
      { origin: 'auth.example/arlo/audit/0', size: 900, root: Buffer.alloc(32, 1) },
      signerOf('auth.example/arlo/audit/0'),
    );
    await writeFile(file(), `${before}\n`);
    const size = await grow();
    await tell();
    expect(await standing()).toMatchObject({ size, failure: null });
    expect(await readFile(file(), 'utf8')).toBe(`${before}\n${(await trees.latest(platform)).note}\n`);
  });
});

describe('a file shows that another history was written, and takes nothing of it,', () => {
  const forged = `update event set data = data || '{"added": 1}' where position = 2`;
  const isCaught = async (reason: string, kept: string): Promise<void> => {
    await tell();
    expect(await standing()).toMatchObject({ failure: reason, conflictedAt: expect.any(Date) });
    expect(logged.filter(({ level }) => level === 'error')).toMatchObject([{ about: { platform, reason, origin: originOf(platform) } }]);
    expect(await readFile(file(), 'utf8')).toBe(kept);
  };
  let kept: string;
  let size: number;
  beforeEach(async () => {
    size = await grow(3);
    await tell();
    kept = await readFile(file(), 'utf8');
  });

  test('that is longer', async () => {
    await trees.rewrite(forged);
    await grow();
    await isCaught('inconsistent', kept);
  });

  test('that is as long', async () => {
    await trees.rewrite(forged);
    await isCaught('inconsistent', kept);
  });

  test('that was cut off', async () => {
    await trees.rewrite(`delete from event where position > ${size - 2}`);
    await isCaught('ahead', kept);
  });
});
