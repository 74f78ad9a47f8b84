import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSealer, SealBroken, WeakSecret } from '../src/index.ts';

const first = 'the first secret of this test suite';
const second = 'the second secret of this test suite';
const sealer = createSealer([first]);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

describe('seal and open', () => {
  test('give back any bytes for the same associated data', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.string(), (bytes, aad) => {
        const sealed = sealer.seal(bytes, aad);
        expect(sealed.byteLength).toBe(bytes.byteLength + 45);
        expect(plain(sealer.open(sealed, aad))).toEqual(bytes);
      }),
    );
  });

  test('open nothing for other associated data', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (aad, other) => {
        fc.pre(aad !== other);
        expect(() => sealer.open(sealer.seal(text('secret'), aad), other)).toThrow(SealBroken);
      }),
    );
  });

  test('open nothing with any one bit flipped', () => {
    const sealed = sealer.seal(text('secret'), 'aad');
    for (let bit = 0; bit < sealed.byteLength * 8; bit += 1) {
      const altered = Uint8Array.from(sealed);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => sealer.open(altered, 'aad')).toThrow(SealBroken);
    }
  });

  test('open nothing that was cut or lengthened', () => {
    const sealed = sealer.seal(text('secret'), 'aad');
    for (let length = 0; length < sealed.byteLength; length += 1) {
      expect(() => sealer.open(sealed.subarray(0, length), 'aad')).toThrow(SealBroken);
    }
    expect(() => sealer.open(Uint8Array.from([...sealed, 0]), 'aad')).toThrow(SealBroken);
  });

  test('never write the same bytes twice', () => {
    const sealed = Array.from({ length: 200 }, () => Buffer.from(sealer.seal(text('same'), 'same')).toString('hex'));
    expect(new Set(sealed).size).toBe(200);
  });

  test('tell nothing of plaintext, associated data or secret when they fail', () => {
    const sealed = sealer.seal(text('plaintext'), 'associated');
    try {
      createSealer([second]).open(sealed, 'associated');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SealBroken);
      expect(Object.keys(error as SealBroken)).toEqual(['name']);
      expect(String(error)).not.toMatch(/plaintext|associated|secret/);
    }
  });
});

describe('rotation', () => {
  const sealed = createSealer([first]).seal(text('kept'), 'aad');
  const rotated = createSealer([second, first]);

  test('opens what the older secret sealed, and says that it is not current', () => {
    expect(plain(rotated.open(sealed, 'aad'))).toEqual(text('kept'));
    expect(rotated.isCurrent(sealed)).toBe(false);
    expect(createSealer([first]).isCurrent(sealed)).toBe(true);
  });

  test('seals under the newest secret alone', () => {
    const renewed = rotated.seal(text('new'), 'aad');
    expect(rotated.isCurrent(renewed)).toBe(true);
    expect(plain(createSealer([second]).open(renewed, 'aad'))).toEqual(text('new'));
    expect(() => createSealer([first]).open(renewed, 'aad')).toThrow(SealBroken);
  });

  test('opens nothing once the older secret is gone', () => {
    expect(() => createSealer([second]).open(sealed, 'aad')).toThrow(SealBroken);
  });

  test('calls nothing current that it could not have written', () => {
    expect(rotated.isCurrent(new Uint8Array())).toBe(false);
    expect(rotated.isCurrent(new Uint8Array(100))).toBe(false);
  });

  test('checks MACs of every secret and makes them under the newest', () => {
    const mac = createSealer([first]).mac('snapshot', text('row'));
    expect(rotated.checkMac({ purpose: 'snapshot', bytes: text('row'), mac })).toBe(true);
    expect(createSealer([second]).checkMac({ purpose: 'snapshot', bytes: text('row'), mac })).toBe(false);
    expect(plain(rotated.mac('snapshot', text('row')))).toEqual(plain(createSealer([second]).mac('snapshot', text('row'))));
  });
});

describe('sealed JSON', () => {
  test('is base64url and comes back as it was', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const sealed = sealer.sealJson(value, 'form');
        expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(JSON.stringify(sealer.openJson(sealed, 'form'))).toBe(JSON.stringify(value));
      }),
    );
  });

  test('is null for whatever did not come from here', () => {
    const sealed = sealer.sealJson({ a: 1 }, 'form');
    expect(sealer.openJson(sealed, 'cookie')).toBeNull();
    expect(createSealer([second]).openJson(sealed, 'form')).toBeNull();
    for (const other of ['', 'x', `${sealed}=`, ` ${sealed}`, sealed.slice(0, -1), `${sealed}A`, '💥'])
      expect(sealer.openJson(other, 'form')).toBeNull();
    fc.assert(fc.property(fc.string(), (other) => sealer.openJson(other, 'form') === null));
  });
});

describe('mac', () => {
  test('is right for its bytes and purpose only', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.uint8Array(), fc.uint8Array(), (purpose, otherPurpose, bytes, otherBytes) => {
        const mac = sealer.mac(purpose, bytes);
        expect(mac.byteLength).toBe(32);
        expect(sealer.checkMac({ purpose, bytes, mac })).toBe(true);
        if (purpose !== otherPurpose) expect(sealer.checkMac({ purpose: otherPurpose, bytes, mac })).toBe(false);
        if (!Buffer.from(bytes).equals(otherBytes)) expect(sealer.checkMac({ purpose, bytes: otherBytes, mac })).toBe(false);
      }),
    );
  });

  test('is not right when cut or empty', () => {
    const mac = sealer.mac('purpose', text('bytes'));
    for (const length of [0, 16, 31]) {
      expect(sealer.checkMac({ purpose: 'purpose', bytes: text('bytes'), mac: mac.subarray(0, length) })).toBe(false);
    }
  });

  test('keeps the value it has always had, because stored rows carry it', () => {
    expect(Buffer.from(sealer.mac('snapshot', text('row'))).toString('hex')).toBe(
      '025e9567a9fc8822ce109344a44f9c4fd464cf7b348f9ee6a6c929c6b05204ea',
    );
  });
});

describe('secrets', () => {
  test('opens what this code sealed when it was first written', () => {
    expect(sealer.openJson('AfpxV4bstwsUESB9mmNRSxlekYpBCPUdcnguWlYDKxQ9qP0xp60mZWW0oFsvQwL8N3uVn0zfpYfSXw', 'golden')).toEqual({
      kept: true,
    });
  });

  test('must be there and have 32 characters each, and are not in the complaint', () => {
    expect(() => createSealer([])).toThrow(WeakSecret);
    expect(() => createSealer([first, 'x'.repeat(31)])).toThrow('secret 2 of 2 has 31 characters; 32 are the least');
    expect(() => createSealer([first, 'hunter2'])).not.toThrow(/hunter2/);
    expect(() => createSealer(['x'.repeat(32)])).not.toThrow();
  });
});
