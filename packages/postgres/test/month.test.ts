import { uuidv7 } from '@grantlog/crypto';
import type { StreamId } from '@grantlog/eventsourcing';
import { describe, expect, test } from 'vitest';
import { monthOf, parseMonth } from '../src/index.ts';
import { newStandingStream } from './support/commits.ts';

describe('a month', () => {
  test('is named by its year and month, and has the ids of its time', () => {
    expect(parseMonth('2026-03')).toMatchObject({ name: '2026-03', table: 'event_2026_03', endedAt: Date.UTC(2026, 3, 1) });
    for (const text of ['2026-13', '2026-00', '26-03', '2026-3', '2026-03-01', "2026-03'; drop table event; --"])
      expect(parseMonth(text)).toBeNull();
    const may = parseMonth('2026-05');
    expect(may?.from).toBe(parseMonth('2026-04')?.to);
    for (const [ms, inside] of [
      [Date.UTC(2026, 4, 1), true],
      [Date.UTC(2026, 5, 1) - 1, true],
      [Date.UTC(2026, 5, 1), false],
      [Date.UTC(2026, 4, 1) - 1, false],
    ] as const) {
      const id = uuidv7(ms) as StreamId;
      expect(id >= (may?.from ?? '') && id < (may?.to ?? '')).toBe(inside);
      expect(monthOf(id) === '2026-05').toBe(inside);
    }
    expect(monthOf(newStandingStream())).toBeNull();
  });
});
