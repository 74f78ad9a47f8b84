import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTilePath, readEntryBundle, rightEdge, tileOf, tilePath, writeEntryBundle } from '../src/index.ts';

describe('the path of a tile', () => {
  test('reads back as it was written', () => {
    const index = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    const width = fc.integer({ min: 1, max: 256 });
    const hashes = fc.record({ kind: fc.constant('hashes' as const), level: fc.integer({ min: 0, max: 63 }), index, width });
    const entries = fc.record({ kind: fc.constant('entries' as const), index, width });
    fc.assert(
      fc.property(fc.oneof(hashes, entries), (resource) => {
        expect(parseTilePath(tilePath(resource))).toEqual(resource);
      }),
    );
  });

  test.each([
    'tile/0/0',
    'tile/0/00',
    'tile/0/0000',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001',
    'tile/00/001',
    'tile/-1/001',
    'tile/64/001',
    'tile/100/001',
    'tile/0/001.p/0',
    'tile/0/001.p/01',
    'tile/0/001.p/256',
    'tile/0/001.p/300',
    'tile/0/001.p/',
    'tile/0/001.p/1/',
    'tile/0/x009/x999/x999/x999/x999/999',
    '/tile/0/001',
    'tile/data/001',
    'tile/0/001\n',
    'tile/0/../001',
    '',
  ])('is not %j', (path) => {
    expect(parseTilePath(path)).toBeNull();
  });
});

describe('the tiles of a tree', () => {
  // The example of https://c2sp.org/tlog-tiles.
  test('are as wide as the specification says of 70,000 leaves', () => {
    expect(rightEdge(70_000)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
    expect(tileOf({ level: 0, index: 272, size: 70_000 }).width).toBe(256);
    expect(tileOf({ level: 0, index: 274, size: 70_000 }).width).toBeLessThan(1);
    expect(rightEdge(256)).toEqual([{ level: 1, index: 0, width: 1 }]);
    expect(rightEdge(0)).toEqual([]);
  });
});

describe('a bundle of entries', () => {
  test('puts the length of each before it, and reads back', () => {
    expect(Buffer.from(writeEntryBundle([Buffer.from('ab'), Buffer.from('')])).toString('hex')).toBe('000261620000');
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }), (entries) => {
        expect(readEntryBundle(writeEntryBundle(entries))?.map((entry) => [...entry])).toEqual(entries.map((entry) => [...entry]));
      }),
    );
  });

  test('takes an entry of 65,535 bytes and none longer', () => {
    expect(readEntryBundle(writeEntryBundle([new Uint8Array(65_535)]))?.[0]?.byteLength).toBe(65_535);
    expect(() => writeEntryBundle([new Uint8Array(65_536)])).toThrow('an entry of 65536 bytes fits in no bundle');
  });

  test.each(['00', '0002', '000261', '00026162ff', '000261620001'])('is not %s, whose lengths do not add up', (hex) => {
    expect(readEntryBundle(Buffer.from(hex, 'hex'))).toBeNull();
  });
});
