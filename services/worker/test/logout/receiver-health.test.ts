import { beforeEach, describe, expect, test } from 'vitest';
import { createReceiverHealth, type ReceiverHealth } from '../../src/logout/receiver-health.ts';

const second = 1_000;
let now = 0;
let health: ReceiverHealth;
beforeEach(() => {
  now = 0;
  health = createReceiverHealth(() => now);
});

const roomOf = (receiver: string): number | undefined => health.rooms().get(receiver);
const attempt = (answered: boolean): void => {
  health.begun('a');
  health.ended('a', answered);
};

describe('an app', () => {
  test('that nobody has spoken to, or that has answered, is not bounded by itself', () => {
    expect(roomOf('a')).toBeUndefined();
    attempt(true);
    expect(roomOf('a')).toBeUndefined();
  });

  test('gets four requests at once', () => {
    for (const left of [3, 2, 1, 0]) {
      health.begun('a');
      expect(roomOf('a')).toBe(left);
    }
    health.ended('a', true);
    expect(roomOf('a')).toBe(1);
    expect(roomOf('b')).toBeUndefined();
  });

  test('gets one at a time once it has failed, and four again once it has answered', () => {
    health.begun('a');
    health.begun('a');
    health.ended('a', false);
    expect(roomOf('a')).toBe(0);
    health.ended('a', false);
    expect(roomOf('a')).toBe(1);
    attempt(true);
    expect(roomOf('a')).toBeUndefined();
  });

  test('is spared for fifteen seconds after three failures, for twice as long after each more, and never for more than five minutes', () => {
    attempt(false);
    attempt(false);
    expect(roomOf('a')).toBe(1);
    for (const pause of [15, 30, 60, 120, 240, 300, 300]) {
      attempt(false);
      now += pause * second - 1;
      expect(roomOf('a')).toBe(0);
      now += 1;
      expect(roomOf('a')).toBe(1);
    }
  });
});
