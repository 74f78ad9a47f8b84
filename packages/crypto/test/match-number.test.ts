import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchNumbers, randomKey } from '../src/index.ts';

const key = new Uint8Array(32).fill(7);
const nonce = new Uint8Array(32).fill(9);
const base = { platform: 'acme', key, nonce };
const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('the numbers of a session', () => {
  test('are three different ones of two digits, of which one is the answer', () => {
    fc.assert(
      fc.property(bytes, (random) => {
        const { answer, choices } = matchNumbers({ ...base, nonce: random });
        expect(choices).toHaveLength(3);
        expect(new Set(choices).size).toBe(3);
        expect(choices.every((choice) => Number.isInteger(choice) && choice >= 10 && choice <= 99)).toBe(true);
        expect(choices).toContain(answer);
      }),
    );
  });

  test('are the same whenever they are computed, for the agent and for the page', () => {
    expect(matchNumbers(base)).toEqual(matchNumbers({ platform: 'acme', key: key.slice(), nonce: nonce.slice() }));
  });

  test('are the ones that sessions begun by earlier versions show', () => {
    expect(matchNumbers(base)).toEqual({ answer: 40, choices: [57, 31, 40] });
  });

  test.each([
    ['platform', { platform: 'acme2' }],
    ['key', { key: randomKey() }],
    ['nonce', { nonce: randomKey() }],
  ])('depend on the %s', (_, change) => {
    // One session in 117,480 has the same three numbers in the same order: eight of them are not one.
    const of = (more: object) =>
      Array.from({ length: 8 }, (__, index) =>
        matchNumbers({ ...base, ...more, ...('nonce' in more ? {} : { nonce: nonce.map((byte) => byte ^ index) }) }),
      );
    expect(of(change)).not.toEqual(of({}));
  });

  test('say nothing by their order: each place has the answer as often, and each number comes as often', () => {
    const rounds = 18_000;
    const places = [0, 0, 0];
    const seen = new Map<number, number>();
    for (let round = 0; round < rounds; round += 1) {
      const { answer, choices } = matchNumbers({ ...base, nonce: new Uint8Array(new Uint32Array([round, 0, 0, 0, 0, 0, 0, 0]).buffer) });
      const place = choices.indexOf(answer);
      places[place] = (places[place] ?? 0) + 1;
      seen.set(answer, (seen.get(answer) ?? 0) + 1);
    }
    // Six standard deviations of a fair draw, and the input is fixed: it either always passes or never.
    for (const count of places) expect(Math.abs(count - rounds / 3)).toBeLessThan(6 * Math.sqrt((rounds * 2) / 9));
    expect(seen.size).toBe(90);
    for (const count of seen.values()) expect(Math.abs(count - rounds / 90)).toBeLessThan(6 * Math.sqrt(rounds / 90));
  });

  test('are not made with a short key or another nonce than one of 32 bytes', () => {
    expect(() => matchNumbers({ ...base, key: key.subarray(1) })).toThrow(RangeError);
    for (const length of [0, 31, 33]) expect(() => matchNumbers({ ...base, nonce: new Uint8Array(length) })).toThrow(RangeError);
  });
});
