import { describe, expect, test } from 'vitest';
import { parseTraceparent, recordedTrace, spanOf, spellTraceparent } from '../src/index.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const id = '0198a1b2-c3d4-4e5f-8a6b-7c8d9e0f1a2b';

describe('a traceparent', () => {
  test('is read and spelt as it came', () => {
    for (const flags of [0, 1, 2, 3]) {
      const text = `00-${traceId}-${spanId}-0${flags}`;
      const parsed = parseTraceparent(text);
      expect(parsed).toEqual({ traceId, spanId, flags });
      expect(parsed === null ? null : spellTraceparent(parsed)).toBe(text);
    }
  });

  test.each([
    ['nothing', ''],
    ['a trace id alone', traceId],
    ['a trace id that is too short', `00-${traceId.slice(1)}-${spanId}-01`],
    ['a trace id that is too long', `00-${traceId}0-${spanId}-01`],
    ['a span id that is too short', `00-${traceId}-${spanId.slice(1)}-01`],
    ['flags that are too short', `00-${traceId}-${spanId}-1`],
    ['no flags', `00-${traceId}-${spanId}`],
    ['upper case', `00-${traceId.toUpperCase()}-${spanId}-01`],
    ['upper case in the span id', `00-${traceId}-${spanId.toUpperCase()}-01`],
    ['upper case in the flags', `00-${traceId}-${spanId}-0A`],
    ['digits that are not hexadecimal', `00-${traceId.replace('a', 'g')}-${spanId}-01`],
    ['version ff', `ff-${traceId}-${spanId}-01`],
    ['a version of one digit', `0-${traceId}-${spanId}-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['version 00 with more members', `00-${traceId}-${spanId}-01-more`],
    ['version 00 that ends in a dash', `00-${traceId}-${spanId}-01-`],
    ['a later version whose flags go on', `01-${traceId}-${spanId}-011`],
    ['two of them', `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
    ['white space before', ` 00-${traceId}-${spanId}-01`],
    ['a line end after', `00-${traceId}-${spanId}-01\n`],
  ])('is none where it is %s', (_, text) => {
    expect(parseTraceparent(text)).toBeNull();
  });

  test.each(['01', 'cc', 'fe'])('of version %s is read as far as it is known, and goes on as version 00', (version) => {
    for (const more of ['', '-', '-what-comes-later']) {
      const parsed = parseTraceparent(`${version}-${traceId}-${spanId}-01${more}`);
      expect(parsed === null ? null : spellTraceparent(parsed)).toBe(`00-${traceId}-${spanId}-01`);
    }
  });

  test('goes on without flags that nobody knows', () => {
    expect(parseTraceparent(`00-${traceId}-${spanId}-fd`)).toEqual({ traceId, spanId, flags: 1 });
    expect(parseTraceparent(`00-${traceId}-${spanId}-fe`)).toEqual({ traceId, spanId, flags: 2 });
  });
});

describe('a span', () => {
  test('begins a sampled trace under its own UUID', () => {
    expect(spellTraceparent(spanOf(id, null))).toBe('00-0198a1b2c3d44e5f8a6b7c8d9e0f1a2b-8a6b7c8d9e0f1a2b-01');
  });

  test('goes on with the trace of its parent and the flags of that, under an id of its own', () => {
    const parent = { traceId, spanId, flags: 0 };
    expect(spanOf(id, parent)).toEqual({ traceId, spanId: '8a6b7c8d9e0f1a2b', flags: 0 });
  });
});

describe('the trace of a record', () => {
  test('is the one that stands there', () => {
    expect(recordedTrace({ traceparent: `00-${traceId}-${spanId}-00`, id })).toEqual({ traceId, spanId, flags: 0 });
  });

  test.each([null, 'expiry', '7d0c1a52-33a1-4a55-9d66-0c4b1f8e2a11'])(
    'is named by the id of the record where %s stands there',
    (traceparent) => {
      expect(recordedTrace({ traceparent, id })).toEqual(spanOf(id, null));
    },
  );
});
