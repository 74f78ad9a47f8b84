import fc from 'fast-check';
import type { JsonObject, StoredEvent } from '../../src/index.ts';

/** The first event of a platform. */
export const event: StoredEvent = {
  platform: 'along',
  position: 1,
  streamId: '019ab3f0-0000-7000-8000-000000000001',
  version: 1,
  commitId: '019ab3f0-0000-7000-8000-0000000000aa',
  type: 'grant.authorized',
  schemaVersion: 1,
  data: { scope: ['records:read'], client: '019ab3f0-0000-7000-8000-0000000000cc', expiresAt: 1795324800.5 },
  personalDigest: null,
  actor: { kind: 'account', id: '019ab3f0-0000-7000-8000-0000000000bb' },
  correlationId: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  causationId: null,
  recordedAt: '2026-11-22T05:20:00.123456Z',
};

const text = fc.string({ unit: 'binary' });
const count = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
// What a parser of JSON may answer, and nothing else: names such as __proto__ are members like any other.
const json = fc.dictionary(text, fc.jsonValue({ stringUnit: 'binary' })).map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);

export const anyEvent: fc.Arbitrary<StoredEvent> = fc.record({
  platform: text,
  position: count,
  streamId: fc.uuid(),
  version: count,
  commitId: fc.uuid(),
  type: text,
  schemaVersion: count,
  data: json,
  personalDigest: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64url'))),
  actor: json,
  correlationId: text,
  causationId: fc.option(text),
  recordedAt: fc
    .tuple(fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), fc.integer({ min: 0, max: 999 }))
    .map(([date, micros]) => date.toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`)),
});
