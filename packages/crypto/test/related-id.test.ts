import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUuid, relatedId, uuidv7 } from '../src/index.ts';

const id = '01890000-0000-7000-8000-000000000001';

describe('the id of a stream that belongs to another one', () => {
  test('has the time of that one, so that both lie in one month', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (ms) => {
        const of = uuidv7(ms);
        const related = relatedId(of, 'grant of a session');
        expect(related).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(isUuid(related)).toBe(true);
        expect(related.slice(0, 13)).toBe(of.slice(0, 13));
        expect(related).not.toBe(of);
      }),
    );
  });

  test('is the one that it has always been, for the log holds it', () => {
    expect(relatedId(id, 'grant of a session')).toBe('01890000-0000-797e-91cb-8045a679dd90');
  });

  test('differs by purpose and by every part of the id', () => {
    expect(relatedId(id, 'another purpose')).not.toBe(relatedId(id, 'grant of a session'));
    const others = Array.from({ length: 1_000 }, () => uuidv7(1e12));
    expect(new Set(others.map((other) => relatedId(other, 'grant of a session'))).size).toBe(1_000);
  });

  test.each(['', 'nothing', id.toUpperCase().replace('0189', '01AB'), `${id} `])('refuses %j', (text) => {
    expect(() => relatedId(text, 'grant of a session')).toThrow(RangeError);
  });
});
