import { describe, expect, test } from 'vitest';
import { emptyRoot, hashLeaf, type LoggedEvent, leafOf, signCheckpoint, type TileReader, verifierKeyOf, verifyLog } from '../src/index.ts';
import { event } from './support/events.ts';
import { naiveRoot } from './support/naive-tree.ts';
import { logSigner, origin, signerOf } from './support/signers.ts';
import { flipped, leafHashes, type StoredTree, storeTree } from './support/stored-tree.ts';

type Hashes = readonly Uint8Array[];

const leaves = leafHashes(2000);
const log = { key: verifierKeyOf(logSigner, 'ed25519') };
const signed = (hashes: Hashes, signer = logSigner): string =>
  signCheckpoint({ origin, size: hashes.length, root: naiveRoot(hashes) }, signer);
const at = (size: number): string => signed(leaves.slice(0, size));

async function* logged(hashes: Hashes, positionOf = (index: number): number => index + 1): AsyncGenerator<LoggedEvent> {
  for (const [index, leafHash] of hashes.entries()) yield { position: positionOf(index), leafHash };
}
const without = (index: number): Hashes => leaves.toSpliced(index, 1);
const withOther = (index: number): Hashes => leaves.with(index, flipped(leaves[index] ?? emptyRoot()));
/** A row is gone, the others keep their positions. */
const gap = (index: number): AsyncGenerator<LoggedEvent> => logged(without(index), (each) => (each < index ? each + 1 : each + 2));
const claimed = async (hashes: Hashes = leaves): Promise<{ checkpoint: string; readTile: TileReader; tree: StoredTree }> => {
  const tree = await storeTree(hashes);
  return { checkpoint: signed(hashes), readTile: tree.readTile, tree };
};
/** The store of tiles was changed along with the log. */
const lying = (readTile: TileReader, index: number): TileReader => {
  return async (tile) => (tile.level === 0 && tile.index === index ? flipped(await readTile(tile), 100) : readTile(tile));
};

describe('a log that is as it was signed', () => {
  test('is verified up to the last checkpoint, with tiles or without', async () => {
    const trusted = [at(1500), at(0), at(1), at(256), at(700)];
    expect(await verifyLog({ events: logged(leaves), log, trusted })).toEqual({
      kind: 'verified',
      size: 1500,
      root: naiveRoot(leaves.slice(0, 1500)),
      distrusted: null,
    });
    const verification = await verifyLog({ events: logged(leaves), log, trusted, claimed: await claimed() });
    expect(verification).toEqual({ kind: 'verified', size: 2000, root: naiveRoot(leaves), distrusted: null });
  });

  test('is verified from the rows themselves', async () => {
    const rows = [1, 2, 3].map((position) => ({ position, leaf: leafOf({ ...event, position }) }));
    const hashes = rows.map(({ leaf }) => hashLeaf(leaf));
    async function* events(): AsyncGenerator<LoggedEvent> {
      yield* rows;
    }
    expect(await verifyLog({ events: events(), log, trusted: [signed(hashes)] })).toMatchObject({ kind: 'verified', size: 3 });
  });

  test('is verified when it has no events', async () => {
    expect(await verifyLog({ events: logged([]), log, trusted: [at(0)] })).toMatchObject({ kind: 'verified', size: 0 });
  });

  test('is read no further than the last checkpoint, and then let go', async () => {
    let isClosed = false;
    async function* events(): AsyncGenerator<LoggedEvent> {
      try {
        yield* logged(leaves.slice(0, 100));
        throw new Error('read on');
      } finally {
        isClosed = true;
      }
    }
    expect(await verifyLog({ events: events(), log, trusted: [at(100)] })).toMatchObject({ kind: 'verified' });
    expect(isClosed).toBe(true);
  });

  test('names a tile that was false, and is verified all the same', async () => {
    const { checkpoint, readTile } = await claimed();
    const verification = await verifyLog({
      events: logged(leaves),
      log,
      trusted: [at(700)],
      claimed: { checkpoint, readTile: lying(readTile, 2) },
    });
    expect(verification).toMatchObject({ kind: 'verified', size: 2000, distrusted: { level: 0, index: 2 } });
  });

  test('is not judged when it, or its tiles, cannot be read', async () => {
    const lost = async (): Promise<never> => {
      throw new Error('no answer');
    };
    async function* events(): AsyncGenerator<LoggedEvent> {
      yield* logged(leaves.slice(0, 10));
      await lost();
    }
    const { checkpoint } = await claimed();
    await expect(verifyLog({ events: events(), log, trusted: [at(700)] })).rejects.toThrow('no answer');
    const audit = { events: logged(leaves), log, trusted: [], claimed: { checkpoint, readTile: lost } };
    await expect(verifyLog(audit)).rejects.toThrow('no answer');
  });

  test('is not verified against nothing', async () => {
    await expect(verifyLog({ events: logged(leaves), log, trusted: [] })).rejects.toThrow(RangeError);
  });
});

describe('an event that was changed', () => {
  test.each([0, 255, 256, 300, 1999])('at index %i is named where tiles tell', async (index) => {
    const verification = await verifyLog({ events: logged(withOther(index)), log, trusted: [at(700)], claimed: await claimed() });
    expect(verification).toMatchObject({
      kind: 'event_differs',
      position: index + 1,
      logged: leaves[index],
      found: withOther(index)[index],
    });
  });

  test('is placed between two checkpoints without tiles', async () => {
    const trusted = [at(100), at(700), at(1500)];
    const audit = (index: number) => verifyLog({ events: logged(withOther(index)), log, trusted });
    expect(await audit(99)).toEqual({ kind: 'history_differs', after: 0, upTo: 100, distrusted: null });
    expect(await audit(100)).toEqual({ kind: 'history_differs', after: 100, upTo: 700, distrusted: null });
    expect(await audit(1499)).toEqual({ kind: 'history_differs', after: 700, upTo: 1500, distrusted: null });
    expect((await audit(1500)).kind).toBe('verified');
  });

  test('is placed behind what true tiles vouch for, where its own tile was changed with it', async () => {
    const { checkpoint, readTile } = await claimed();
    const events = withOther(600);
    const verification = await verifyLog({
      events: logged(events),
      log,
      trusted: [at(1500)],
      claimed: { checkpoint, readTile: lying(readTile, 2) },
    });
    expect(verification).toEqual({ kind: 'history_differs', after: 512, upTo: 1500, distrusted: { level: 0, index: 2, width: 256 } });
  });

  test('is not looked for in a later tile once one was false: the first at fault may be before it', async () => {
    const { checkpoint, readTile } = await claimed();
    const events = withOther(1100);
    const verification = await verifyLog({
      events: logged(events),
      log,
      trusted: [],
      claimed: { checkpoint, readTile: lying(readTile, 2) },
    });
    expect(verification).toMatchObject({ kind: 'history_differs', after: 512, upTo: 2000 });
  });

  test('is never one that is as it was, whichever tile lies', async () => {
    const { checkpoint, readTile } = await claimed();
    for (let index = 0; index < 8; index += 1) {
      const audit = { events: logged(leaves), log, trusted: [at(700)], claimed: { checkpoint, readTile: lying(readTile, index) } };
      expect((await verifyLog(audit)).kind).toBe('verified');
    }
  });
});

describe('a log of which something is gone', () => {
  test('is found by the position that is missing', async () => {
    expect(await verifyLog({ events: gap(640), log, trusted: [at(700)] })).toEqual({ kind: 'position_missing', position: 641 });
    expect(await verifyLog({ events: gap(0), log, trusted: [at(700)] })).toEqual({ kind: 'position_missing', position: 1 });
  });

  test('is found when the rest has moved up', async () => {
    const events = logged(without(640));
    expect(await verifyLog({ events, log, trusted: [at(700)], claimed: await claimed() })).toMatchObject({
      kind: 'event_differs',
      position: 641,
    });
    expect(await verifyLog({ events: logged(without(640)), log, trusted: [at(600), at(700)] })).toMatchObject({
      kind: 'history_differs',
      after: 600,
      upTo: 700,
    });
  });

  test('is too short when its end is gone', async () => {
    const audit = { events: logged(leaves.slice(0, 690)), log, trusted: [at(100), at(700)] };
    expect(await verifyLog(audit)).toEqual({ kind: 'too_short', size: 690, expected: 700 });
  });

  test('is told by what came first, where an earlier stretch differs as well', async () => {
    const changed = withOther(50);
    const audits = [
      logged(changed.slice(0, 690)),
      logged(changed, (index) => (index < 300 ? index + 1 : index + 2)),
      logged(changed, (index) => (index < 300 ? index + 1 : index)),
    ];
    for (const events of audits)
      expect(await verifyLog({ events, log, trusted: [at(100), at(700)] })).toMatchObject({ kind: 'history_differs', upTo: 100 });
  });

  test('is refused out of order or with a position twice', async () => {
    const swapped = logged(leaves, (index) => (index === 20 ? 20 : index + 1));
    expect(await verifyLog({ events: swapped, log, trusted: [at(700)] })).toEqual({ kind: 'order', position: 20, after: 20 });
    const nowhere = logged(leaves, (index) => (index === 20 ? Number.NaN : index + 1));
    expect((await verifyLog({ events: nowhere, log, trusted: [at(700)] })).kind).toBe('order');
  });
});

describe('a log that tells two stories', () => {
  const other = withOther(300);

  test('is caught by two checkpoints of one size', async () => {
    const verification = await verifyLog({ events: logged(leaves), log, trusted: [at(700), signed(other.slice(0, 700))] });
    expect(verification).toMatchObject({ kind: 'equivocation', first: { size: 700 }, second: { size: 700 } });
    expect(
      await verifyLog({
        events: logged(leaves),
        log,
        trusted: [at(0), signCheckpoint({ origin, size: 0, root: naiveRoot(leaves) }, logSigner)],
      }),
    ).toMatchObject({
      kind: 'equivocation',
    });
  });

  test('is caught by the tiles of a newer checkpoint that is no growth of the older', async () => {
    const audit = { log, trusted: [at(200), at(700)], claimed: await claimed(other) };
    const expected = { kind: 'equivocation', first: { size: 700 }, second: { size: 2000 } };
    expect(await verifyLog({ ...audit, events: logged(other) })).toMatchObject(expected);
    expect(await verifyLog({ ...audit, events: logged([]) })).toMatchObject(expected);
  });

  test('is caught by its events, which miss one checkpoint and meet a later one', async () => {
    const verification = await verifyLog({ events: logged(other), log, trusted: [at(200), at(700), signed(other.slice(0, 1500))] });
    expect(verification).toMatchObject({ kind: 'equivocation', first: { size: 700 }, second: { size: 1500 } });
  });

  test('is not accused of it by false tiles', async () => {
    const { checkpoint } = await claimed();
    const { readTile } = await claimed(other);
    const verification = await verifyLog({ events: logged(leaves), log, trusted: [at(700)], claimed: { checkpoint, readTile } });
    expect(verification).toMatchObject({ kind: 'verified', size: 2000, distrusted: { level: 0 } });
  });
});

describe('a checkpoint that is not the log`s', () => {
  test.each([
    ['unsigned', signed(leaves.slice(0, 9), signerOf(origin, 8))],
    ['bad_signature', at(700).replace('700', '701')],
    ['malformed', 'nothing'],
    ['other_origin', signCheckpoint({ origin: 'x.example', size: 1, root: naiveRoot(leaves.slice(0, 1)) }, logSigner)],
  ])('is refused as %s, kept or claimed', async (reason, text) => {
    const refusal = { kind: 'checkpoint_refused', signed: text, reason };
    expect(await verifyLog({ events: logged(leaves), log, trusted: [at(10), text] })).toEqual(refusal);
    expect(await verifyLog({ events: logged(leaves), log, trusted: [at(10)], claimed: { checkpoint: text } })).toEqual(refusal);
  });
});
