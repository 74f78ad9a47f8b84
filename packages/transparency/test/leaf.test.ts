import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, hashLeaf, leafOf, readLeaf, type StoredEvent } from '../src/index.ts';
import { anyEvent, event } from './support/events.ts';

const canonical =
  '{"actor":{"id":"019ab3f0-0000-7000-8000-0000000000bb","kind":"account"},"causation_id":null,' +
  '"commit_id":"019ab3f0-0000-7000-8000-0000000000aa","correlation_id":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",' +
  '"data":{"client":"019ab3f0-0000-7000-8000-0000000000cc","expiresAt":1795324800.5,"scope":["records:read"]},' +
  '"format":"grantlog-event/1","personal_digest":null,"platform":"along","position":1,"recorded_at":"2026-11-22T05:20:00.123456Z",' +
  '"schema_version":1,"stream_id":"019ab3f0-0000-7000-8000-000000000001","type":"grant.authorized","version":1}';

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const reasonOf = (text: string | Uint8Array): string => {
  const reading = readLeaf(typeof text === 'string' ? bytesOf(text) : text);
  return reading.outcome === 'refused' ? reading.reason : 'read';
};

describe('the leaf of an event', () => {
  test('is these bytes and this hash, for ever', () => {
    expect(Buffer.from(leafOf(event)).toString('utf8')).toBe(canonical);
    const expected = createHash('sha256').update(Buffer.of(0)).update(canonical).digest('hex');
    expect(Buffer.from(hashLeaf(leafOf(event))).toString('hex')).toBe(expected);
    expect(expected).toBe('1de309783754b414b62d9148b8a5eefb778a11c5f395ebb52fd3c8d06ac76f8c');
  });

  test('is canonical JSON as a whole', () => {
    fc.assert(
      fc.property(anyEvent, (any) => {
        const text = Buffer.from(leafOf(any)).toString('utf8');
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  test('reads back as the event', () => {
    fc.assert(
      fc.property(anyEvent, (any) => {
        expect(readLeaf(leafOf(any))).toEqual({ outcome: 'read', event: any });
      }),
    );
  });

  test.each<[string, Partial<StoredEvent>]>([
    ['a time to the millisecond', { recordedAt: '2026-11-22T05:20:00.123Z' }],
    ['a time of another zone', { recordedAt: '2026-11-22T05:20:00.123456+01' }],
    ['a position of 0', { position: 0 }],
    ['a position that a double cannot tell from its neighbour', { position: 2 ** 53 }],
    ['a version that is none', { version: Number.NaN }],
    ['a digest of another length', { personalDigest: 'AAAA' }],
    ['a lone surrogate', { type: 'a\ud800' }],
  ])('is refused for %s', (_, part) => {
    expect(() => leafOf({ ...event, ...part })).toThrow(RangeError);
  });

  test.each([
    ['white space', canonical.replace(',', ', '), 'not_canonical'],
    ['another order', canonical.replace('{"actor"', '{"version":1,"actor"').replace(',"version":1}', '}'), 'not_canonical'],
    ['a member twice', canonical.replace(',"version":1}', ',"version":1,"version":1}'), 'not_canonical'],
    ['a member that is not ours', canonical.replace(/\}$/, ',"zone":1}'), 'not_canonical'],
    ['a number written otherwise', canonical.replace('1795324800.5', '1795324800.50'), 'not_canonical'],
    ['an escape that need not be', canonical.replace('along', String.raw`\u0061long`), 'not_canonical'],
    ['a lone surrogate as an escape', canonical.replace('along', String.raw`\ud800`), 'not_canonical'],
    ['JSON nested too deep', canonical.replace('["records:read"]', `${'['.repeat(9000)}${']'.repeat(9000)}`), 'not_canonical'],
    ['a newline at the end', `${canonical}\n`, 'not_canonical'],
    ['another format', canonical.replace('event/1', 'event/2'), 'other_format'],
    ['no format', canonical.replace('"format":"grantlog-event/1",', ''), 'other_format'],
    ['a missing member', canonical.replace(',"version":1}', '}'), 'malformed'],
    ['a position as text', canonical.replace('"position":1', '"position":"1"'), 'malformed'],
    ['data that is an array', canonical.replace(/"data":\{.*?\}/, '"data":[]'), 'malformed'],
    ['a wrong time', canonical.replace('.123456Z', 'Z'), 'malformed'],
    ['an array', '[]', 'not_json'],
    ['nothing', '', 'not_json'],
    ['a byte order mark', `\ufeff${canonical}`, 'not_json'],
  ])('is not read with %s', (_, text, reason) => {
    expect(text).not.toBe(canonical);
    expect(reasonOf(text)).toBe(reason);
  });

  test('is not read where its bytes are no UTF-8', () => {
    const bytes = bytesOf(canonical);
    bytes[canonical.indexOf('along')] = 0xff;
    expect(reasonOf(bytes)).toBe('not_json');
  });
});
