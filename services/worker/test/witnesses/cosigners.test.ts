import { setTimeout as pause } from 'node:timers/promises';
import { generateSigningKey, importSigningKey } from '@grantlog/crypto';
import { createEgress, type Egress } from '@grantlog/egress';
import type { PlatformId } from '@grantlog/eventsourcing';
import {
  countWitnesses,
  listWitnesses,
  readAuditCheckpoint,
  readAuditTree,
  readCosignedNote,
  readWitnessedCheckpoint,
} from '@grantlog/postgres';
import { cosign, parseNote, readCheckpoint, readCosignatures, type SignedNote, verifierKeyOf } from '@grantlog/transparency';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { createWitness } from '../../../../test/support/witness.ts';
import { createWitnessing, type Witnessing, type WitnessingContext } from '../../src/witnesses/witnessing.ts';
import { logKeyOf, originOf, signedTrees } from '../support/signed-tree.ts';
import { createWorld, platform, type World } from '../support/world.ts';

type TestWitness = Awaited<ReturnType<typeof createWitness>>;

/** Nobody's key that anybody trusts. */
const other = importSigningKey(await generateSigningKey('EdDSA'));

let world: World;
let trees: ReturnType<typeof signedTrees>;
let egress: Egress;
let witness: TestWitness;
let witnessing: Witnessing;
let logged: { readonly level: string; readonly about: Record<string, unknown>; readonly message: string }[];
const opened: { readonly close: () => Promise<void> }[] = [];

const note = (level: string) => (about: unknown, message?: string) =>
  void logged.push({ level, about: about as Record<string, unknown>, message: message ?? '' });
const start = (settings: Partial<WitnessingContext> = {}): Witnessing =>
  createWitnessing({
    pool: world.pool,
    egress,
    now: Date.now,
    random: () => 0.5,
    logger: { info: note('info'), warn: note('warn'), error: note('error') } as never,
    onTold: () => {},
    pauseMs: 60_000,
    ...settings,
  });
const openWitness = async (name?: string): Promise<TestWitness> => {
  const made = await createWitness(name);
  opened.push(made);
  made.knows(originOf(platform), logKeyOf(platform));
  return made;
};

beforeEach(async () => {
  world = await createWorld(inject('databaseUrl'));
  trees = signedTrees(world);
  egress = createEgress({ allowLoopback: true });
  logged = [];
  witness = await openWitness();
  witnessing = start();
});
afterEach(async () => {
  await witnessing.stop();
  await Promise.all(opened.splice(0).map(({ close }) => close()));
  await egress.close();
  await world.close();
});

const grow = async (events = 5): Promise<number> => {
  await trees.live(platform, events);
  await trees.sign();
  return (await trees.latest(platform)).size;
};
const standingOf = async (name: PlatformId = platform, of = witness) => {
  const tree = await readAuditTree(world.pool, name);
  if (tree === null) throw new Error('there is no tree');
  return (await listWitnesses(world.pool, tree)).find((each) => each.witness === of.configured.id);
};
/** The latest checkpoint of a platform as it is served. */
const served = async (name: PlatformId = platform): Promise<SignedNote> => {
  const tree = await readAuditTree(world.pool, name);
  const signed = tree === null ? null : await readAuditCheckpoint(world.pool, tree);
  const parsed = tree === null || signed === null ? null : parseNote(await readCosignedNote(world.pool, tree, signed));
  if (parsed === null) throw new Error('no note is served');
  return parsed;
};
const kept = async (): Promise<number> =>
  (await world.pool.query<{ n: number }>('select count(*)::int as n from audit_cosignature')).rows[0]?.n ?? -1;
/** Tells it, as if enough time had passed since the last telling. */
const tell = async (of = witness): Promise<void> => {
  await world.pool.query('update audit_witness set due_at = now()');
  await witnessing.tell(of.configured);
};

describe('a witness', () => {
  test('that meets a log for the first time cosigns it, and the note that is served says so', async () => {
    const size = await grow();
    await tell();
    expect(witness.asked).toEqual([{ old: 0, size, origin: originOf(platform), hashes: 0 }]);
    const note = await served();
    const [found, ...more] = readCosignatures(note, [witness.configured.key]);
    expect([found?.witness.name, more]).toEqual(['witness.example/w1', []]);
    expect(Math.abs((found?.timestampSeconds ?? 0) * 1_000 - Date.now())).toBeLessThan(60_000);
    expect(note.signatures).toHaveLength(2);
    const whole = readCheckpoint((await trees.latest(platform)).note, { key: logKeyOf(platform) });
    expect(whole.outcome).toBe('verified');
    expect(await standingOf()).toMatchObject({ size, failure: null, conflictedAt: null });
  });

  test('is shown that the tree goes on from the one that it has, and each checkpoint once', async () => {
    const first = await grow(70);
    await tell();
    await tell();
    const second = await grow(300);
    await tell();
    expect(witness.asked.map(({ old, size }) => [old, size])).toEqual([
      [0, first],
      [first, second],
    ]);
    expect(witness.asked[1]?.hashes).toBeGreaterThan(3);
    expect(await kept()).toBe(2);
    expect(await countWitnesses(world.pool, [witness.configured.id])).toEqual({ current: 1, behind: 0, failing: 0, conflicting: 0 });
  });

  test('is told of the latest alone where there are several', async () => {
    await trees.live(platform, 20);
    await trees.sign(3);
    await tell();
    expect(witness.asked.map(({ size }) => size)).toEqual([(await trees.latest(platform)).size]);
  });

  test('is told no sooner than the pause after the last time', async () => {
    await grow();
    await witnessing.tell(witness.configured);
    await grow();
    await witnessing.tell(witness.configured);
    expect(witness.asked).toHaveLength(1);
    expect(await countWitnesses(world.pool, [witness.configured.id])).toMatchObject({ current: 0, behind: 1 });
  });

  test('that has another tree than was thought is asked again from there', async () => {
    const size = await grow();
    await tell();
    // Somebody restored the database of a moment ago.
    await world.pool.query('update audit_witness set size = 0, root = null');
    const later = await grow();
    await tell();
    expect(witness.asked.slice(1).map(({ old, size: now }) => [old, now])).toEqual([
      [0, later],
      [size, later],
    ]);
    expect(await standingOf()).toMatchObject({ size: later, failure: null });
  });

  test('that was shown more by another worker meanwhile is in no conflict', async () => {
    await grow();
    let size = 0;
    witness.answers(async (honest) => {
      if (size > 0) return honest;
      size = await grow();
      return { status: 409, type: 'text/x.tlog.size', body: `${size}\n` };
    });
    await tell();
    expect(await standingOf()).toMatchObject({ size: 0, failure: null, conflictedAt: null });
    await tell();
    expect(await standingOf()).toMatchObject({ size, failure: null, conflictedAt: null });
    expect(logged).toEqual([]);
  });

  test('that begins anew is begun with anew', async () => {
    await grow();
    await tell();
    witness.latest.clear();
    const size = await grow();
    await tell();
    expect(witness.latest.get(originOf(platform))?.size).toBe(size);
    expect(await standingOf()).toMatchObject({ size, failure: null });
  });

  test('that names another size each time, or none, is not asked for ever', async () => {
    await grow();
    let size = 0;
    witness.answers(() => {
      size = size === 1 ? 2 : 1;
      return { status: 409, type: 'text/x.tlog.size', body: `${size}\n` };
    });
    await tell();
    expect(witness.asked).toHaveLength(3);
    expect(await standingOf()).toMatchObject({ size: 0, failure: 'unexpected_answer', conflictedAt: null });
    for (const [type, body] of [
      ['text/plain', '3\n'],
      ['text/x.tlog.size', '3'],
      ['text/x.tlog.size', '03\n'],
      ['text/x.tlog.size', '-1\n'],
      ['text/x.tlog.size', ''],
    ] as const) {
      witness.asked.length = 0;
      witness.answers(() => ({ status: 409, type, body }));
      await tell();
      expect(witness.asked).toHaveLength(1);
    }
    expect(await standingOf()).toMatchObject({ failure: 'unexpected_answer', conflictedAt: null });
  });

  test.each([
    [404, 'unknown_log'],
    [403, 'untrusted_key'],
    [400, 'unexpected_answer'],
    [302, 'unexpected_answer'],
    [503, 'unexpected_answer'],
  ] as const)('that answers %i is %s, and tried again later', async (status, failure) => {
    await grow();
    witness.answers(() => ({ status }));
    await tell();
    expect(await standingOf()).toMatchObject({ size: 0, failure, conflictedAt: null });
    expect(logged).toMatchObject([{ level: 'warn', about: { platform, reason: failure } }]);
    witness.answers((honest) => honest);
    // Honestly it had taken the tree already.
    await tell();
    expect(await standingOf()).toMatchObject({ failure: null, failingSince: null });
    expect(await kept()).toBe(1);
  });
});

describe('a cosignature is kept only', () => {
  const required = (text: string): SignedNote => {
    const parsed = parseNote(text);
    if (parsed === null) throw new Error('no note');
    return parsed;
  };
  const sign = (text: string, timestampSeconds: number, key = witness.key, name = 'witness.example/w1'): string =>
    cosign({ note: required(text), witness: { name, key }, timestampSeconds });
  const seconds = (): number => Math.floor(Date.now() / 1_000);
  /** The line of one key under the name and the id of another. */
  const posing = (line: string): string => {
    const [dash, name, encoded = ''] = line.trimEnd().split(' ');
    const bytes = Buffer.from(encoded, 'base64');
    bytes.writeUInt32BE(witness.configured.key.keyId);
    return `${dash} ${name} ${bytes.toString('base64')}\n`;
  };

  /** A text and lines of some other key after it, of so many bytes in all. */
  const filled = (text: string, length: number): string => {
    const missing = length - Buffer.byteLength(text);
    const size = missing < 8_192 ? missing : 4_096;
    if (missing === 0) return text;
    // What is no whole group of base64 goes into the name.
    const rest = size - Buffer.byteLength('— n \n');
    return filled(`${text}— n${'n'.repeat(rest % 4)} ${'A'.repeat(rest - (rest % 4))}\n`, length);
  };

  test.each<[string, (text: string) => string]>([
    ['by the key of the witness', (text) => sign(text, seconds(), other)],
    ['by the key of the witness, whatever id it names', (text) => posing(sign(text, seconds(), other))],
    [
      'of this checkpoint',
      (text) =>
        sign(
          text.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`),
          seconds(),
        ),
    ],
    ['of this origin', (text) => sign(text.replace('/arlo/', '/along/'), seconds())],
    ['from after the checkpoint was signed', (text) => sign(text, seconds() - 3_600)],
    ['from before now', (text) => sign(text, seconds() + 3_600)],
    ['where it says a time', (text) => sign(text, 0)],
    ['whole', (text) => `${sign(text, seconds()).slice(0, -9)}\n`],
    ['on a line of its own', (text) => sign(text, seconds()).trimEnd()],
    ['among lines of signature alone', (text) => `${sign(text, seconds())}<html>\n`],
    ['where there is one', () => ''],
    ['where the answer ends', (text) => filled(sign(text, seconds()), 65_536) + filled('', 4_096)],
  ])('%s', async (_, answer) => {
    await grow();
    witness.answers((_honest, text) => ({ status: 200, body: answer(text) }));
    await tell();
    expect(await kept()).toBe(0);
    expect(await standingOf()).toMatchObject({ size: 0, failure: 'bad_cosignature' });
    expect((await served()).signatures).toHaveLength(1);
  });

  test('without those that others have put to it', async () => {
    await grow();
    const third = verifierKeyOf({ name: 'third.example/w', key: other }, 'cosignature/v1');
    witness.answers((honest, text) => ({ ...honest, body: sign(text, seconds(), other, 'third.example/w') + honest.body }));
    await tell();
    expect(readCosignatures(await served(), [third, witness.configured.key]).map(({ witness: by }) => by.name)).toEqual([
      'witness.example/w1',
    ]);
  });

  test('and never changed or taken back', async () => {
    await grow();
    await tell();
    for (const statement of ['delete from audit_cosignature', `update audit_cosignature set line = ''`, 'truncate audit_cosignature'])
      await expect(world.pool.query(statement)).rejects.toThrow();
  });
});

describe('who does not answer', () => {
  test('is told of the latest alone once it does', async () => {
    const first = await grow();
    await tell();
    await witness.close();
    await grow();
    await tell();
    expect(await standingOf()).toMatchObject({ size: first, failure: 'unreachable', conflictedAt: null });
    expect(await countWitnesses(world.pool, [witness.configured.id])).toMatchObject({ failing: 1, conflicting: 0 });
    await grow();
    const last = await grow();
    await witness.open();
    await tell();
    expect(witness.asked.map(({ old, size }) => [old, size])).toEqual([
      [0, first],
      [first, last],
    ]);
    expect(await standingOf()).toMatchObject({ size: last, failure: null });
    expect(logged.at(-1)).toMatchObject({ level: 'info', message: 'a witness takes checkpoints again' });
  });

  test('is asked later each time, up to five minutes', async () => {
    await grow();
    await witness.close();
    const patient = start({ pauseMs: 1_000 });
    for (let n = 0; n < 12; n += 1) {
      await world.pool.query('update audit_witness set due_at = now()');
      await patient.tell(witness.configured);
    }
    const waits = logged.map(({ about }) => about['retryInMs']);
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBe(300_000);
    const { rows } = await world.pool.query<{ wait: number }>(
      'select extract(epoch from due_at - now())::float8 as wait from audit_witness',
    );
    expect(rows[0]?.wait).toBeGreaterThan(290);
    await patient.stop();
  });

  test('holds up neither the tree nor another witness, and is let go of at the end', async () => {
    const quick = await openWitness('quick.example/w2');
    const hanging = Promise.withResolvers<void>();
    await grow();
    witness.answers(async (honest) => {
      await hanging.promise;
      return honest;
    });
    const telling = witnessing.tell(witness.configured);
    const size = await grow();
    await tell(quick);
    expect(await standingOf(platform, quick)).toMatchObject({ size });
    expect(await standingOf()).toMatchObject({ size: 0 });
    const before = performance.now();
    await witnessing.stop();
    await telling;
    expect(performance.now() - before).toBeLessThan(2_000);
    hanging.resolve();
    // The next worker need not wait until the claim would run out.
    witnessing = start();
    await tell();
    expect(await standingOf()).toMatchObject({ size, failure: null });
  });

  test('before the claim runs out is asked by another worker, whose outcome stands', async () => {
    await grow();
    let requests = 0;
    witness.answers(async (honest) => {
      requests += 1;
      if (requests > 1) return honest;
      await pause(400);
      return { status: 503 };
    });
    const slow = start({ claimMs: 200 });
    const first = slow.tell(witness.configured);
    await pause(50);
    await witnessing.tell(witness.configured);
    expect(witness.asked).toHaveLength(1);
    await pause(200);
    await witnessing.tell(witness.configured);
    expect(witness.asked.length).toBeGreaterThan(1);
    await first;
    await slow.stop();
    expect(await standingOf()).toMatchObject({ failure: null });
    expect(await kept()).toBe(1);
  });
});

test('of two workers one alone tells a witness of a tree at a time', async () => {
  witness.answers(async (honest) => {
    await pause(30);
    return honest;
  });
  const workers = [start({ pauseMs: 1 }), start({ pauseMs: 1 }), start({ pauseMs: 1 })];
  for (let n = 0; n < 4; n += 1) {
    await grow();
    await pause(10);
    await Promise.all(workers.flatMap((worker) => [worker.tell(witness.configured), worker.tell(witness.configured)]));
  }
  expect(witness.counts.most).toBe(1);
  expect(witness.asked).toHaveLength(4);
  expect(await kept()).toBe(4);
  await Promise.all(workers.map((worker) => worker.stop()));
});

test('each platform has a tree, and a witness, of its own', async () => {
  const along = 'along' as PlatformId;
  await world.openPlatform(along);
  await trees.live(along, 9);
  const size = await grow();
  await tell();
  // It was told of one log only.
  expect(await standingOf(along)).toMatchObject({ size: 0, failure: 'unknown_log' });
  expect(await standingOf()).toMatchObject({ size, failure: null });
  expect((await served(along)).signatures).toHaveLength(1);
  const tree = await readAuditTree(world.pool, along);
  if (tree === null) throw new Error('there is no tree');
  expect(await readWitnessedCheckpoint(world.pool, { ...tree, atMost: tree.size })).toBeNull();
  witness.knows(originOf(along), logKeyOf(along));
  await tell();
  expect(readCosignatures(await served(along), [witness.configured.key])).toHaveLength(1);
  expect(await readWitnessedCheckpoint(world.pool, { ...tree, atMost: tree.size })).toMatchObject({ size: 9 });
});

test('the checkpoint of most witnesses is preferred to a larger one', async () => {
  const second = await openWitness('second.example/w2');
  const both = await grow();
  await tell();
  await tell(second);
  const later = await grow();
  await tell();
  const tree = await readAuditTree(world.pool, platform);
  if (tree === null) throw new Error('there is no tree');
  expect(await readWitnessedCheckpoint(world.pool, { ...tree, atMost: tree.size })).toMatchObject({ size: both });
  expect(await readWitnessedCheckpoint(world.pool, { ...tree, atLeast: both + 1, atMost: tree.size })).toMatchObject({ size: later });
  expect(await readWitnessedCheckpoint(world.pool, { ...tree, atMost: both - 1 })).toBeNull();
});

describe('an operator with the key who writes another history', () => {
  let size: number;
  beforeEach(async () => {
    size = await grow(40);
    await tell();
  });
  const forged = `update event set data = data || '{"added": 1}' where position = 17`;
  const isCaught = async (reason: string): Promise<void> => {
    expect(await standingOf()).toMatchObject({ size, failure: reason, conflictedAt: expect.any(Date) });
    expect(logged.filter(({ level }) => level === 'error')).toMatchObject([{ about: { platform, reason, origin: originOf(platform) } }]);
    expect(await countWitnesses(world.pool, [witness.configured.id])).toMatchObject({ current: 0, conflicting: 1 });
    expect((await served()).signatures).toHaveLength(1);
    expect(witness.latest.get(originOf(platform))?.size).toBe(size);
  };

  test('is caught where it has grown since', async () => {
    await trees.rewrite(forged);
    await grow();
    await tell();
    await isCaught('inconsistent');
  });

  test('is caught where it is as long as before', async () => {
    await trees.rewrite(forged);
    await tell();
    await isCaught('inconsistent');
  });

  test('is caught where the end was cut off', async () => {
    await trees.rewrite(`delete from event where position > ${size - 5}`);
    await tell();
    await isCaught('ahead');
  });

  test('is caught where what was known of the witness is gone as well', async () => {
    await trees.rewrite(forged);
    await world.pool.query('delete from audit_witness');
    await grow();
    await tell();
    expect(await standingOf()).toMatchObject({ size: 0, failure: 'inconsistent', conflictedAt: expect.any(Date) });
  });

  test('is still shown to have been, once the witness takes the tree again', async () => {
    await trees.rewrite(forged);
    await tell();
    witness.latest.clear();
    await tell();
    expect(await standingOf()).toMatchObject({ failure: null, conflictedAt: expect.any(Date) });
    expect(await countWitnesses(world.pool, [witness.configured.id])).toMatchObject({ current: 1, conflicting: 0 });
  });

  test('has no cosignature put to a checkpoint that it is not of', async () => {
    await trees.rewrite(forged);
    const { lineage, note } = await trees.latest(platform);
    // What was kept of the first history, beside the second.
    const line = '— witness.example/w1 AAAAAAAA\n';
    await world.pool.query(
      `insert into audit_cosignature (platform, lineage, size, witness, root, line, cosigned_at) values ($1, $2, $3, 'w', $4, $5, now())`,
      [platform, lineage, size, Buffer.alloc(32), line],
    );
    const tree = await readAuditTree(world.pool, platform);
    const signed = tree === null ? null : await readAuditCheckpoint(world.pool, tree);
    if (tree === null || signed === null) throw new Error('there is no tree');
    expect(await readCosignedNote(world.pool, tree, signed)).toBe(note);
    expect(await readWitnessedCheckpoint(world.pool, { ...tree, atMost: size })).toBeNull();
  });
});

test('a tree that is made anew is not shown to anybody before it is as it was', async () => {
  const size = await grow(30);
  await tell();
  await world.pool.query('delete from audit_tile');
  await world.pool.query('update audit_tree set size = 0');
  await world.pool.query('update audit_witness set size = 3');
  await tell();
  expect(witness.asked).toHaveLength(1);
  expect(await standingOf()).toMatchObject({ failure: null });
  await world.pool.query('delete from audit_tree');
  await world.pool.query(`update subscription set position = 0 where name = 'audit-tree'`);
  await trees.sign();
  await tell();
  expect(await standingOf()).toMatchObject({ size, failure: null });
});
