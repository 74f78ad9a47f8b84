import { createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  mintToken,
  type ParsedToken,
  type PlainToken,
  parseToken,
  shorten,
  type TokenKind,
  uuidFromBytes,
  verifyToken,
} from '../src/index.ts';
import { tokenChecksum } from '../src/token-checksum.ts';

type Mint = Parameters<typeof mintToken>[0];

const kinds = ['code', 'access', 'refresh', 'registration_access', 'session', 'link'] as const satisfies readonly TokenKind[];
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const uint = (max: number) => fc.oneof(fc.integer({ min: 0, max }), fc.constantFrom(0, max));

const payloads = fc.record({
  streamId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(uuidFromBytes),
  sequence: uint(0xffff_ffff),
  expiresAt: fc.oneof(
    fc.maxSafeInteger().map((value) => Math.abs(value) % 2 ** 40),
    fc.constantFrom(0, 2 ** 40 - 1),
  ),
  keyId: uint(0xffff),
  scopes: fc.uniqueArray(fc.integer({ min: 0, max: 63 }), { maxLength: 64 }).map((scopes) => scopes.toSorted((a, b) => a - b)),
  resource: fc.option(uint(254), { nil: null }),
});

const mints: fc.Arbitrary<Mint> = fc.record({
  prefix: fc.stringMatching(/^[a-z][a-z0-9]{1,9}$/),
  kind: fc.constantFrom(...kinds),
  platform: fc.stringMatching(/^[a-z][a-z0-9-]{0,39}$/),
  key: bytes32,
  nonce: bytes32,
  payload: payloads,
});

const sample: Mint = {
  prefix: 'arlo',
  kind: 'access',
  platform: 'arlo-health',
  key: Uint8Array.from({ length: 32 }, (_, index) => index),
  nonce: Uint8Array.from({ length: 32 }, (_, index) => 255 - index),
  payload: {
    streamId: '019a9d3c-5c00-7abc-8def-0123456789ab',
    sequence: 7,
    expiresAt: 1795250000,
    keyId: 1,
    scopes: [0, 2, 63],
    resource: 1,
  },
};

const parsed = (text: string): ParsedToken => {
  const token = parseToken(text);
  if (token === null) throw new Error('the test expects a token here');
  return token;
};
const accepted = (text: string, mint: Mint): boolean => {
  const token = parseToken(text);
  return token !== null && token.kind === mint.kind && verifyToken({ token, platform: mint.platform, key: mint.key, nonce: mint.nonce });
};
const withChecksum = (text: string): string => `${text}${tokenChecksum(text)}`;
/** The same token with other bytes in its body and a checksum to match: what a forger can always do. */
const rebuild = (token: string, change: (body: Buffer) => Buffer): string => {
  const start = token.indexOf('_') + 2;
  return withChecksum(token.slice(0, start) + change(Buffer.from(token.slice(start, -6), 'base64url')).toString('base64url'));
};

describe('a token', () => {
  test('comes back from its text as it was minted, and is verified', () => {
    fc.assert(
      fc.property(mints, (mint) => {
        const text = mintToken(mint);
        const token = parsed(text);
        expect(token.prefix).toBe(mint.prefix);
        expect(token.kind).toBe(mint.kind);
        expect(token.payload).toEqual(mint.payload);
        expect(verifyToken({ token, platform: mint.platform, key: mint.key, nonce: mint.nonce })).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('is of the published alphabet and at most 120 characters', () => {
    fc.assert(
      fc.property(mints, (mint) => {
        const text = mintToken(mint);
        expect(text).toMatch(/^[A-Za-z0-9_-]{1,120}$/);
        expect(text.length).toBe(mint.prefix.length + 79);
      }),
    );
  });

  test('is the same whenever the same is minted', () => {
    fc.assert(fc.property(mints, (mint) => mintToken(mint) === mintToken(structuredClone(mint))));
  });

  test('keeps the spelling it has always had, because clients hold it', () => {
    expect(mintToken(sample)).toBe('arlo_aAQGanTxcAHq8je8BI0VniasAAAAHAGsBV1AAAYAAAAAAAAAFATdhZMVTmzRCM5258vZC6e02LszIH');
  });

  test('has a MAC that anybody with the keys can compute from its description', () => {
    const token = parsed(mintToken(sample));
    const payload = Buffer.from(mintToken(sample).slice(6, -6), 'base64url').subarray(0, 37);
    const fields = [
      Buffer.from('grantlog token v1'),
      Buffer.from('arlo-health'),
      Buffer.from('arlo'),
      Buffer.from('access'),
      sample.nonce,
      payload,
    ];
    const mac = createHmac('sha256', sample.key);
    for (const field of fields) mac.update(Buffer.from([0, 0, 0, field.length])).update(field);
    expect(Buffer.from(token.mac).equals(mac.digest().subarray(0, 16))).toBe(true);
  });
});

describe('forgery', () => {
  test('with any one character replaced, the text is not even a token', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const text = mintToken(sample);
    for (let at = 0; at < text.length; at += 1) {
      for (const character of alphabet) {
        if (character !== text[at]) expect(parseToken(text.slice(0, at) + character + text.slice(at + 1))).toBeNull();
      }
    }
  });

  test('with any one bit of payload or MAC flipped and the checksum made right, it is never accepted', () => {
    fc.assert(
      fc.property(mints, (mint) => {
        const text = mintToken(mint);
        for (let bit = 0; bit < 53 * 8; bit += 1) {
          const forged = rebuild(text, (body) => {
            body[bit >> 3] = (body[bit >> 3] ?? 0) ^ (1 << (bit & 7));
            return body;
          });
          expect(accepted(forged, mint)).toBe(false);
        }
      }),
      { numRuns: 15 },
    );
  });

  test('for another platform, key or nonce it is never accepted', () => {
    fc.assert(
      fc.property(mints, mints, (mint, other) => {
        const token = parsed(mintToken(mint));
        const check = { token, platform: mint.platform, key: mint.key, nonce: mint.nonce };
        if (other.platform !== mint.platform) expect(verifyToken({ ...check, platform: other.platform })).toBe(false);
        if (!Buffer.from(other.key).equals(mint.key)) expect(verifyToken({ ...check, key: other.key })).toBe(false);
        if (!Buffer.from(other.nonce).equals(mint.nonce)) expect(verifyToken({ ...check, nonce: other.nonce })).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('under another kind or prefix, with the checksum made right, it is never accepted', () => {
    const text = mintToken(sample);
    const check = { platform: sample.platform, key: sample.key, nonce: sample.nonce };
    expect(verifyToken({ ...check, token: parsed(withChecksum(text.slice(0, -6))) })).toBe(true);
    for (const letter of 'crgsl') {
      expect(verifyToken({ ...check, token: parsed(withChecksum(`arlo_${letter}${text.slice(6, -6)}`)) })).toBe(false);
    }
    expect(verifyToken({ ...check, token: parsed(withChecksum(`brlo${text.slice(4, -6)}`)) })).toBe(false);
  });

  test('a session has two tokens, and neither is found from the other', () => {
    const [agents, persons] = (['session', 'link'] as const).map((kind) => parsed(mintToken({ ...sample, kind })));
    if (agents === undefined || persons === undefined) throw new Error('the test expects two tokens here');
    expect(agents.payload).toEqual(persons.payload);
    expect(Buffer.from(agents.mac).equals(persons.mac)).toBe(false);
    const check = { platform: sample.platform, key: sample.key, nonce: sample.nonce };
    for (const [token, kind] of [
      [agents, 'link'],
      [persons, 'session'],
    ] as const) {
      expect(verifyToken({ ...check, token })).toBe(true);
      expect(verifyToken({ ...check, token: { ...token, kind } })).toBe(false);
    }
  });

  test('moving a character between platform and prefix gives another MAC', () => {
    const one = parsed(mintToken({ ...sample, platform: 'ab', prefix: 'cd' }));
    const other = parsed(mintToken({ ...sample, platform: 'a', prefix: 'bcd' }));
    expect(Buffer.from(one.mac).equals(other.mac)).toBe(false);
  });

  test('a payload that the caller changed after the parse is not verified', () => {
    const token = parsed(mintToken(sample));
    const raised = { ...token, payload: { ...token.payload, scopes: [0, 1, 2, 63] } };
    expect(verifyToken({ token: raised, platform: sample.platform, key: sample.key, nonce: sample.nonce })).toBe(false);
  });

  test('a MAC cut short or left out is not verified', () => {
    const token = parsed(mintToken(sample));
    for (const length of [0, 1, 15]) {
      const cut = { ...token, mac: token.mac.subarray(0, length) };
      expect(verifyToken({ token: cut, platform: sample.platform, key: sample.key, nonce: sample.nonce })).toBe(false);
    }
  });
});

describe('the parser', () => {
  test('answers null for any text that was not minted, without throwing', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.json()), (text) => parseToken(text) === null));
  });

  test('answers null for other spellings of a good token', () => {
    const text = mintToken(sample);
    const others = [
      ` ${text}`,
      `${text}\n`,
      `${text}=`,
      text.toUpperCase(),
      text.slice(1),
      text.slice(0, -1),
      `${text}A`,
      encodeURIComponent(`${text} `),
    ];
    for (const other of others) expect(parseToken(other)).toBeNull();
  });

  test('answers null for unused bits that are set at the end of the body', () => {
    const text = mintToken(sample).slice(0, -6);
    // 53 bytes leave two bits of the last character unused: three of its neighbours decode to the same bytes.
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const digit = last.indexOf(text.slice(-1));
    expect(digit % 4).toBe(0);
    for (const spare of [1, 2, 3]) expect(parseToken(withChecksum(text.slice(0, -1) + last.charAt(digit + spare)))).toBeNull();
  });

  test('answers null for another layout version, length or kind under a good checksum', () => {
    const text = mintToken(sample);
    const otherVersion = (body: Buffer): Buffer => Buffer.from([2, ...body.subarray(1)]);
    expect(parseToken(rebuild(text, otherVersion))).toBeNull();
    expect(parseToken(rebuild(text, (body) => body.subarray(0, 52)))).toBeNull();
    expect(parseToken(rebuild(text, (body) => Buffer.concat([body, Buffer.alloc(1)])))).toBeNull();
    expect(parseToken(withChecksum(`arlo_x${text.slice(6, -6)}`))).toBeNull();
  });

  test.each(['a', 'abcdefghijk', '1ab', 'Arlo', 'ar-lo', 'ar_lo', ''])('answers null for the prefix %j under a good checksum', (prefix) => {
    expect(parseToken(withChecksum(`${prefix}${mintToken(sample).slice(4, -6)}`))).toBeNull();
  });
});

describe('minting refuses', () => {
  const { payload } = sample;
  test.each<[string, Partial<Mint>]>([
    ['an empty prefix', { prefix: '' }],
    ['a prefix of one letter', { prefix: 'a' }],
    ['a prefix of eleven letters', { prefix: 'abcdefghijk' }],
    ['a prefix with an underscore', { prefix: 'ar_lo' }],
    ['a short key', { key: new Uint8Array(31) }],
    ['a short nonce', { nonce: new Uint8Array(31) }],
    ['a long nonce', { nonce: new Uint8Array(33) }],
    ['a stream that is no UUID', { payload: { ...payload, streamId: 'x' } }],
    ['a negative sequence', { payload: { ...payload, sequence: -1 } }],
    ['a sequence of 2^32', { payload: { ...payload, sequence: 2 ** 32 } }],
    ['an expiry in milliseconds', { payload: { ...payload, expiresAt: 1795250000000 } }],
    ['a fractional expiry', { payload: { ...payload, expiresAt: 1.5 } }],
    ['a key id of 65536', { payload: { ...payload, keyId: 0x10000 } }],
    ['a 65th scope', { payload: { ...payload, scopes: [64] } }],
    ['a 256th resource', { payload: { ...payload, resource: 255 } }],
  ])('%s', (_, change) => {
    expect(() => mintToken({ ...sample, ...change })).toThrow(RangeError);
  });
});

test('the checksum is six base62 digits of the CRC-32, whose check value is that of the standard', () => {
  expect(crc32('123456789')).toBe(0xcbf43926);
  expect(tokenChecksum('123456789')).toBe('3jZRME');
  expect(tokenChecksum('')).toBe('000000');
  fc.assert(fc.property(fc.string(), (text) => /^[0-9A-Za-z]{6}$/.test(tokenChecksum(text))));
});

test('a shortened token names its platform and kind and holds nothing of the MAC', () => {
  expect(shorten(mintToken(sample))).toBe('arlo_aAQG…');
  expect(shorten(mintToken({ ...sample, prefix: 'al', kind: 'refresh' }) satisfies PlainToken)).toBe('al_rAQG…');
});
