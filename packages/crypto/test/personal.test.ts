import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDataKey, openPersonal, SealBroken, sealPersonal } from '../src/index.ts';

const dataKey = createDataKey();
const place = { dataKey, platform: 'arlo', streamId: '019a9d3c-5c00-7abc-8def-0123456789ab', version: 3 };
const fields = { email: 'ann@example.org', name: 'Ann' };

describe('personal data', () => {
  test('comes back under the same key at the same place', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'grapheme' })), (any) => {
        expect(JSON.stringify(openPersonal({ ...place, sealed: sealPersonal({ ...place, fields: any }) }))).toBe(JSON.stringify(any));
      }),
    );
  });

  test('opens neither elsewhere nor under another key', () => {
    const sealed = sealPersonal({ ...place, fields });
    const elsewhere = [
      { ...place, platform: 'along' },
      { ...place, streamId: '019a9d3c-5c00-7abc-8def-0123456789ac' },
      { ...place, version: 4 },
      { ...place, dataKey: createDataKey() },
      { ...place, platform: `${place.platform}${place.streamId.slice(0, 1)}`, streamId: place.streamId.slice(1) },
    ];
    for (const other of elsewhere) expect(() => openPersonal({ ...other, sealed })).toThrow(SealBroken);
  });

  test('does not open with any one bit flipped, cut or empty', () => {
    const sealed = sealPersonal({ ...place, fields });
    for (let bit = 0; bit < sealed.byteLength * 8; bit += 1) {
      const altered = Uint8Array.from(sealed);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => openPersonal({ ...place, sealed: altered })).toThrow(SealBroken);
    }
    for (const length of [0, 1, 12, 28, sealed.byteLength - 1]) {
      expect(() => openPersonal({ ...place, sealed: sealed.subarray(0, length) })).toThrow(SealBroken);
    }
  });

  test('does not tell the length of a name by its own', () => {
    const lengthOf = (name: string): number => sealPersonal({ ...place, fields: { name } }).byteLength;
    expect(lengthOf('Bo')).toBe(lengthOf('Wilhelmina'));
  });

  test('has a fresh key of 32 bytes for each subject', () => {
    expect(createDataKey().byteLength).toBe(32);
    expect(Buffer.from(createDataKey()).equals(createDataKey())).toBe(false);
  });
});
