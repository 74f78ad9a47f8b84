import type { EgressOutcome } from '@grantlog/egress';
import { describe, expect, test } from 'vitest';
import { keptResponse } from '../src/webhooks/kept-response.ts';

const answerOf = (body: string | Uint8Array): EgressOutcome => ({
  kind: 'response',
  status: 500,
  headers: {},
  body: typeof body === 'string' ? Buffer.from(body) : body,
  truncated: false,
  durationMs: 1,
});
const kept = (body: string | Uint8Array, secrets: readonly string[] = []): string => keptResponse(answerOf(body), secrets) ?? '';

describe('what is kept of an answer', () => {
  test('is its beginning as text, of four kibibytes at most, and nothing where there is none', () => {
    expect(kept('we are out of order')).toBe('we are out of order');
    expect(kept('x'.repeat(60_000))).toBe('x'.repeat(4_096));
    expect(Buffer.byteLength(kept('ü'.repeat(60_000)))).toBeLessThanOrEqual(4_096 + 2);
    expect(keptResponse(answerOf(''), [])).toBeNull();
    expect(keptResponse({ kind: 'failed', reason: 'timeout', durationMs: 1 }, [])).toBeNull();
  });

  test('is text that a database takes, whatever the bytes', () => {
    expect(kept(Buffer.from([0x61, 0x00, 0xff, 0x62]))).toBe('a\uFFFD\uFFFDb');
  });

  test('has no secret, also where one is the beginning of another, and is not spoiled by an empty one', () => {
    expect(kept('"secret-one-and-more", "secret-one", ""', ['secret-one', '', 'secret-one-and-more'])).toBe(
      '"[redacted]", "[redacted]", ""',
    );
  });

  test('has no part of a secret that the end of what is read cuts', () => {
    const secret = `begin-${'s'.repeat(90)}`;
    // Redacted it is so short that all of it would be kept, up to the cut.
    const text = kept(secret.repeat(200), [secret]);
    expect(text).toContain('[redacted]');
    expect(text).not.toContain('begin-');
  });
});
