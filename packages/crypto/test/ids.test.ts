import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expiringNameId, isUuid, nameId, randomKey, randomToken, standingId, uuidFromBytes, uuidToBytes, uuidv7 } from '../src/index.ts';

const key = new Uint8Array(32).fill(7);
const v7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const v8 = /^00000000-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const headOf = (uuid: string): number => Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16);

describe('uuidv7', () => {
  test('holds its time in the first 48 bits, as the example of RFC 9562 appendix A.6 does', () => {
    expect(uuidv7(1645557742000).startsWith('017f22e2-79b0-7')).toBe(true);
  });

  test('keeps any time it can hold, without its fraction', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), fc.double({ min: 0, max: 0.9, noNaN: true }), (ms, fraction) => {
        const id = uuidv7(ms < 2 ** 40 ? ms + fraction : ms);
        expect(id).toMatch(v7);
        expect(headOf(id)).toBe(ms);
      }),
    );
  });

  test.each([-1, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY])('refuses the time %s', (ms) => {
    expect(() => uuidv7(ms)).toThrow(RangeError);
  });

  test('does not repeat itself within a millisecond', () => {
    expect(new Set(Array.from({ length: 5000 }, () => uuidv7(1e12))).size).toBe(5000);
  });

  test('leaves every one of its 74 random bits free', () => {
    const ids = Array.from({ length: 200 }, () => BigInt(`0x${uuidv7(0).replaceAll('-', '')}`));
    const ones = ids.reduce((seen, id) => seen | id, 0n);
    const zeros = ids.reduce((seen, id) => seen & id, (1n << 128n) - 1n);
    const free = (ones & ~zeros).toString(2).replaceAll('0', '').length;
    expect(free).toBe(74);
  });
});

describe('standingId', () => {
  test('carries its kind code and sorts below every UUIDv7 of this century', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff }), (code) => {
        const id = standingId(code);
        expect(id).toMatch(v8);
        expect(Number.parseInt(id.slice(9, 13), 16)).toBe(code);
        expect(id < uuidv7(Date.UTC(2000, 0))).toBe(true);
      }),
    );
  });

  test.each([-1, 0x10000, 1.5, Number.NaN])('refuses the kind code %s', (code) => {
    expect(() => standingId(code)).toThrow(RangeError);
  });
});

describe('nameId', () => {
  const base = { nameKey: key, kindCode: 3, name: 'ann@example.org' };

  test('is the same for the same key, kind and name, and a standing id', () => {
    expect(nameId(base)).toBe(nameId({ ...base }));
    expect(nameId(base)).toMatch(/^00000000-0003-8/);
  });

  test('keeps the value it has always had, because the log holds it', () => {
    expect(nameId(base)).toBe('00000000-0003-8e33-8e4a-9f72830baac8');
  });

  test('differs by key, kind and name', () => {
    const others = [
      { ...base, nameKey: new Uint8Array(32).fill(8) },
      { ...base, kindCode: 4 },
      { ...base, name: 'Ann@example.org' },
    ];
    // The first four characters of the kind differ by construction; the hash must as well.
    for (const other of others) expect(nameId(other).slice(14)).not.toBe(nameId(base).slice(14));
  });

  test('refuses a short name key', () => {
    expect(() => nameId({ ...base, nameKey: key.subarray(1) })).toThrow(RangeError);
  });
});

describe('expiringNameId', () => {
  const base = { nameKey: key, kind: 'jti', name: 'abc', expiresAtMs: Date.UTC(2026, 10, 21, 9, 30) };

  test('lies at the first millisecond of the month in which the claim expires', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2200, 0) }), (expiresAtMs) => {
        const id = expiringNameId({ ...base, expiresAtMs });
        expect(id).toMatch(v7);
        const month = new Date(headOf(id)).toISOString();
        expect(month).toBe(`${new Date(expiresAtMs).toISOString().slice(0, 7)}-01T00:00:00.000Z`);
      }),
    );
  });

  test('is one id for all expiries of one month, and another in the next', () => {
    expect(expiringNameId({ ...base, expiresAtMs: Date.UTC(2026, 10, 1) })).toBe(expiringNameId(base));
    expect(expiringNameId({ ...base, expiresAtMs: Date.UTC(2026, 11, 1) })).not.toBe(expiringNameId(base));
  });

  test('keeps the value it has always had, because the log holds it', () => {
    expect(expiringNameId(base)).toBe('01a19467-e800-783a-9ce9-d71fb2e9ddc4');
  });

  test('differs by key, kind and name', () => {
    for (const other of [
      { ...base, nameKey: randomKey() },
      { ...base, kind: 'code' },
      { ...base, name: 'abd' },
    ]) {
      expect(expiringNameId(other)).not.toBe(expiringNameId(base));
    }
  });

  test('refuses a kind that could be read as kind and name, a time that is none, and a short key', () => {
    expect(() => expiringNameId({ ...base, kind: 'jti\0abc' })).toThrow(RangeError);
    expect(() => expiringNameId({ ...base, expiresAtMs: Number.NaN })).toThrow(RangeError);
    expect(() => expiringNameId({ ...base, nameKey: key.subarray(1) })).toThrow(RangeError);
  });
});

describe('uuid bytes', () => {
  test('go to text and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const text = uuidFromBytes(bytes);
        expect(isUuid(text)).toBe(true);
        expect(new Uint8Array(uuidToBytes(text))).toEqual(bytes);
      }),
    );
  });

  test.each([
    '',
    'x',
    '017F22E2-79B0-7CC3-98C4-DC0C0C07398F',
    '017f22e279b07cc398c4dc0c0c07398f',
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n',
  ])('are not read from %j', (text) => {
    expect(isUuid(text)).toBe(false);
    expect(() => uuidToBytes(text)).toThrow(RangeError);
  });

  test('are exactly sixteen', () => {
    expect(() => uuidFromBytes(new Uint8Array(15))).toThrow(RangeError);
    expect(() => uuidFromBytes(new Uint8Array(17))).toThrow(RangeError);
  });
});

test('randomToken has the alphabet and length of base64url and never repeats', () => {
  const tokens = Array.from({ length: 500 }, () => randomToken(32));
  for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(new Set(tokens).size).toBe(500);
});
