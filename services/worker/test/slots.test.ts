import { describe, expect, test } from 'vitest';
import { createSlots } from '../src/webhooks/slots.ts';

describe('the requests of a process', () => {
  const nobody = (): void => {};

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
