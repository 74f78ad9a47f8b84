import { generateSigningKey, importSigningKey } from '@grantlog/crypto';
import { consumeOnce, ensureSubscriptions, readAuditTree, readEventsAfter } from '@grantlog/postgres';
import { leavesOf, tileReaderOf } from '@grantlog/read-models';
import {
  hashLeaf,
  hashNode,
  type LoggedEvent,
  type NoteSigner,
  proveConsistency,
  readCheckpoint,
  verifierKeyOf,
  verifyConsistency,
  verifyLog,
} from '@grantlog/transparency';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { createAuditTree } from '../src/audit/tree.ts';
import { createWorld, platform, type World } from './support/world.ts';

const origin = 'auth.example/arlo/audit/1';
const generated = await generateSigningKey('EdDSA');
const signer: NoteSigner = { name: origin, key: importSigningKey(generated) };
const log = { key: verifierKeyOf(signer, 'ed25519') };

let world: World;
beforeEach(async () => {
  world = await createWorld(inject('databaseUrl'));
});
afterEach(() => world.close());

const subscription = createAuditTree({ originOf: async () => origin, signerOf: async () => signer });

/** Hashes and signs what there is, as the worker does; in batches of so many. */
const keep = async (batchLimit = 5_000): Promise<void> => {
  await ensureSubscriptions(world.pool, [subscription.name]);
  for (;;) {
    const outcome = await consumeOnce(world.pool, [{ ...subscription, batchLimit }]);
    if (outcome.kind === 'failed') throw outcome.error;
    if (outcome.kind === 'idle') return;
  }
};

/** What somebody does to the log who may do anything: as superuser, with the triggers that refuse it switched off. */
const tamper = async (...statements: readonly string[]): Promise<void> => {
  const client = await world.pool.connect();
  try {
    await client.query('set role none');
    const { rows } = await client.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'grantlog.event'::regclass`,
    );
    for (const { name } of [...rows, { name: 'audit_checkpoint' }]) await client.query(`alter table ${name} disable trigger all`);
    for (const statement of statements) expect((await client.query(statement)).rowCount).toBeGreaterThan(0);
  } finally {
    client.release(true);
  }
};

const signedNow = async (): Promise<string> => {
  const { rows } = await world.pool.query<{ note: string }>('select note from audit_checkpoint order by size desc limit 1');
  return rows[0]?.note ?? '';
};
const events = async function* (): AsyncGenerator<LoggedEvent> {
  const read = await readEventsAfter(world.pool, { platform, after: 0, limit: 10_000 });
  for (const [n, leaf] of leavesOf(read).entries()) yield { leaf, position: read[n]?.position ?? 0 };
};
/** What an auditor finds who kept these checkpoints, with the tree that is served now or without. */
const verify = async (trusted: readonly string[], { withTree = true } = {}) => {
  const tree = await readAuditTree(world.pool, platform);
  const claimed =
    tree === null || !withTree ? {} : { claimed: { checkpoint: await signedNow(), readTile: tileReaderOf(world.pool, tree) } };
  return verifyLog({ events: events(), log, trusted, ...claimed });
};

/** Some events: about three a grant. */
const live = async (grants: number): Promise<void> => {
  const client = await world.client(`client-${Math.random()}`);
  for (let n = 0; n < grants; n += 1) await world.refresh(await world.grant({ client }), 2);
};
/** Has the tree made anew from the first event on. */
const dropTree = async (): Promise<void> => {
  for (const table of ['audit_tile', 'audit_tree']) await world.pool.query(`delete from ${table}`);
  await world.pool.query(`update subscription set position = 0 where name = 'audit-tree'`);
};

/** The root by the definition itself. @see RFC 6962 §2.1 */
const naiveRoot = (hashes: readonly Uint8Array[]): Uint8Array => {
  const [only] = hashes;
  if (hashes.length === 1 && only !== undefined) return only;
  let left = 1;
  while (left * 2 < hashes.length) left *= 2;
  return hashNode(naiveRoot(hashes.slice(0, left)), naiveRoot(hashes.slice(left)));
};

describe('the tree over a log', () => {
  test('has the root that the definition gives, in whatever batches it grew, and is signed', async () => {
    await live(5);
    await keep(3);
    await live(100);
    await keep(7);
    await live(3);
    await keep();
    const hashes: Uint8Array[] = [];
    for await (const event of events()) if ('leaf' in event) hashes.push(hashLeaf(event.leaf));
    const reading = readCheckpoint(await signedNow(), log);
    expect(reading).toMatchObject({ outcome: 'verified', checkpoint: { origin, size: hashes.length } });
    expect(hashes.length).toBeGreaterThan(256);
    expect(reading.outcome === 'verified' && Buffer.from(reading.checkpoint.root)).toEqual(Buffer.from(naiveRoot(hashes)));
    expect(await verify([])).toMatchObject({ kind: 'verified', size: hashes.length });
  });

  test('begins with every tree that was signed before', async () => {
    await live(30);
    await keep();
    const first = readCheckpoint(await signedNow(), log);
    await live(70);
    await keep(50);
    const second = readCheckpoint(await signedNow(), log);
    const tree = await readAuditTree(world.pool, platform);
    if (first.outcome !== 'verified' || second.outcome !== 'verified' || tree === null) throw new Error('nothing is signed');
    const [older, newer] = [first.checkpoint, second.checkpoint];
    const sizes = { oldSize: older.size, newSize: newer.size };
    const hashes = await proveConsistency({ ...sizes, readTile: tileReaderOf(world.pool, tree) });
    expect(verifyConsistency({ ...sizes, oldRoot: older.root, newRoot: newer.root, hashes })).toBe(true);
    expect(verifyConsistency({ ...sizes, oldRoot: newer.root, newRoot: newer.root, hashes })).toBe(false);
  });

  test('can be dropped and made anew, and comes out as it was signed', async () => {
    await live(100);
    await keep(40);
    const [note, tree] = [await signedNow(), await readAuditTree(world.pool, platform)];
    await dropTree();
    await keep(64);
    expect([await signedNow(), await readAuditTree(world.pool, platform)]).toEqual([note, tree]);
    await live(1);
    await keep();
    expect(await verify([note])).toMatchObject({ kind: 'verified' });
  });

  test.each([5_000, 4])('that would come out otherwise than it was signed is not signed again (%i at once)', async (batchLimit) => {
    await live(20);
    await keep();
    const note = await signedNow();
    await tamper(`update event set data = data || '{"added": 1}' where position = 7`);
    await dropTree();
    await live(1);
    await expect(keep(batchLimit)).rejects.toThrow('are not those that were signed');
    expect(await signedNow()).toBe(note);
  });

  test('whose tiles were changed is not gone on with', async () => {
    await live(20);
    await keep();
    await world.pool.query(`update audit_tile set hashes = set_byte(hashes, 5, get_byte(hashes, 5) # 1) where level = 0`);
    await live(1);
    await expect(keep()).rejects.toThrow('are not those of its tree');
  });

  test('has no checkpoint that anybody could change or take back', async () => {
    await live(1);
    await keep();
    for (const statement of ['delete from audit_checkpoint', `update audit_checkpoint set note = 'another'`, 'truncate audit_checkpoint'])
      await expect(world.pool.query(statement)).rejects.toThrow();
  });
});

describe('somebody with an earlier checkpoint finds, whatever a superuser did with the triggers off,', () => {
  let kept: string;
  let size: number;
  beforeEach(async () => {
    await live(40);
    await keep();
    kept = await signedNow();
    size = Number(kept.split('\n')[1]);
    await live(20);
    await keep();
  });

  test('one byte changed in an old row, and which', async () => {
    await tamper(`update event set actor = jsonb_set(actor, '{id}', '"tesu"') where position = 17`);
    expect(await verify([kept])).toMatchObject({ kind: 'event_differs', position: 17 });
    expect(await verify([kept], { withTree: false })).toMatchObject({ kind: 'history_differs', after: 0, upTo: size });
  });

  test('a sealed part changed', async () => {
    await tamper(`update event set personal = '\\x00' where position = 9`);
    expect(await verify([kept])).toMatchObject({ kind: 'event_differs', position: 9 });
  });

  test('a time changed by a microsecond', async () => {
    await tamper(`update event set recorded_at = recorded_at + interval '1 microsecond' where position = 23`);
    expect(await verify([kept])).toMatchObject({ kind: 'event_differs', position: 23 });
  });

  test('a row removed, and which', async () => {
    await tamper('delete from event where position = 21');
    expect(await verify([kept])).toMatchObject({ kind: 'position_missing', position: 21 });
  });

  test('a row removed and those after it moved up', async () => {
    await tamper('delete from event where position = 21', 'update event set position = position - 1 where position > 21');
    expect(await verify([kept])).toMatchObject({ kind: 'event_differs', position: 21 });
  });

  test('two rows swapped, and the first of them', async () => {
    await tamper(
      'update event set position = 1000000 where position = 11',
      'update event set position = 11 where position = 12',
      'update event set position = 12 where position = 1000000',
    );
    expect(await verify([kept])).toMatchObject({ kind: 'event_differs', position: 11 });
  });

  test('an end cut off', async () => {
    await tamper(`delete from event where position > ${size - 5}`);
    expect(await verify([kept])).toMatchObject({ kind: 'too_short', size: size - 5 });
  });

  test('a tail forged in place of what was there', async () => {
    await tamper(`update event set data = '{"forged": true}' where position > ${size - 5}`);
    expect(await verify([kept])).toMatchObject({ kind: 'event_differs', position: size - 4 });
  });

  /** The operator makes a tree of what the log says now, and has the key. */
  const rewriteTree = async (): Promise<void> => {
    await tamper('delete from audit_checkpoint');
    await dropTree();
    await keep();
  };
  test('a tree rewritten to fit: the key has then signed two histories', async () => {
    await tamper(`update event set data = data || '{"added": 1}' where position = 30`);
    await rewriteTree();
    expect(await verify([])).toMatchObject({ kind: 'verified' });
    expect(await verify([kept])).toMatchObject({ kind: 'equivocation', first: { size } });
    expect(await verify([kept], { withTree: false })).toMatchObject({ kind: 'history_differs', after: 0, upTo: size });
  });

  test('where between two kept checkpoints a rewritten history begins', async () => {
    const [later, laterSize] = [await signedNow(), Number((await signedNow()).split('\n')[1])];
    await tamper(`update event set data = data || '{"added": 1}' where position = ${size + 10}`);
    await rewriteTree();
    expect(await verify([kept, later], { withTree: false })).toMatchObject({ kind: 'history_differs', after: size, upTo: laterSize });
  });

  test('an operator who shows two histories to two auditors, who then meet', async () => {
    const shownToOne = await signedNow();
    await tamper(`update event set data = data || '{"added": 1}' where position = 50`);
    await rewriteTree();
    const shownToOther = await signedNow();
    expect(await verify([shownToOne, shownToOther])).toMatchObject({ kind: 'equivocation' });
  });
});
