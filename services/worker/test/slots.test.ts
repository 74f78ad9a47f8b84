import { type Lane, lanes } from '@grantlog/postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import { createSlots, type Slots } from '../src/webhooks/slots.ts';

const nobody = (): void => {};

describe('the requests of a process', () => {
  test('are not all for endpoints that have many of them under way', () => {
    const slots = createSlots({ most: 6, kept: 2 });
    const greedy = Array.from({ length: 10 }, (_, underWay) => slots.take(1, underWay, nobody));
    expect(greedy.filter((taken) => taken)).toHaveLength(4);
    expect([0, 1, 0].map((underWay) => slots.take(1, underWay, nobody))).toEqual([true, true, false]);
  });

  test('go, as they are given back, to who has few, then to who has many, and to revocations first', () => {
    const slots = createSlots({ most: 4, kept: 2 });
    const roused: string[] = [];
    for (let nth = 0; nth < 4; nth += 1) slots.take(1, 0, nobody);
    const wait = (name: string, lane: 0 | 1, underWay: number): void => {
      const rouse = (): void => void (slots.take(lane, underWay, rouse) && roused.push(name));
      rouse();
    };
    wait('many', 1, 9);
    wait('few', 1, 0);
    wait('many revoked', 0, 9);
    wait('few revoked', 0, 1);
    for (let nth = 0; nth < 4; nth += 1) slots.giveBack();
    expect(roused).toEqual(['few revoked', 'few']);
    slots.giveBack();
    expect(roused.slice(2)).toEqual(['many revoked']);
    slots.giveBack();
    expect(roused.slice(3)).toEqual(['many']);
  });
});

describe('a slot', () => {
  let slots: Slots;
  let roused: string[];
  beforeEach(() => {
    slots = createSlots({ most: 2, kept: 0 });
    roused = [];
    for (let taken = 0; taken < 2; taken += 1) slots.take(1, 0, nobody);
  });
  /** Waits as a turn does that still has something to send when it is roused. */
  const wait = (name: string, lane: Lane): void => {
    const rouse = (): void => {
      roused.push(name);
      slots.take(lane, 0, rouse);
    };
    slots.take(lane, 0, rouse);
  };

  test('goes to a revocation first, then to a first attempt, then to a retry, each in the order of asking', () => {
    for (const lane of lanes.toReversed()) for (const nth of ['first', 'second']) wait(`${nth} of ${lane}`, lane);
    for (let given = 0; given < 6; given += 1) slots.giveBack();
    expect(roused).toEqual(['first of 0', 'second of 0', 'first of 1', 'second of 1', 'first of 2', 'second of 2']);
  });

  test('rouses nobody twice who has asked twice', () => {
    const rouse = (): void => void roused.push('somebody');
    for (let asks = 0; asks < 3; asks += 1) slots.take(1, 0, rouse);
    slots.giveBack();
    slots.giveBack();
    expect(roused).toEqual(['somebody']);
  });

  test('passes to the next one where whoever is roused has nothing to send any more', () => {
    slots.take(0, 0, () => void roused.push('nothing to send'));
    wait('something to send', 2);
    slots.giveBack();
    expect(roused).toEqual(['nothing to send', 'something to send']);
    expect(slots.take(1, 0, nobody)).toBe(false);
  });

  test('can be given back by whoever is roused, however many wait in vain', () => {
    const many = 20_000;
    let tried = 0;
    for (let each = 0; each < many; each += 1) {
      slots.take(1, 0, () => {
        tried += 1;
        if (slots.take(1, 0, nobody)) slots.giveBack();
      });
    }
    slots.giveBack();
    expect(tried).toBe(many);
    expect([1, 2].map(() => slots.take(1, 0, nobody))).toEqual([true, false]);
  });
});
