import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { SeenWebhooks } from '../../src/index.ts';

const soon = (): number => Math.floor(Date.now() / 1000) + 60;
const over = (): number => Math.floor(Date.now() / 1000) - 1;

/** What every store has to do, by the system's clock. */
export const describeSeen = (name: string, open: () => SeenWebhooks): void => {
  describe(name, () => {
    test('gives a claim to one who asks, and to nobody else while its time lasts', async () => {
      const seen = open();
      const claim = { id: randomUUID(), until: soon() };
      const claimed = await Promise.all(Array.from({ length: 8 }, () => seen.claim(claim)));
      expect(claimed.sort()).toEqual(['claimed', ...Array.from({ length: 7 }, () => 'in_progress')]);
      expect(await seen.claim({ ...claim, id: randomUUID() })).toBe('claimed');
    });

    test('gives it to the next one when its time is over', async () => {
      const seen = open();
      const id = randomUUID();
      await seen.claim({ id: randomUUID(), until: soon() });
      expect(await seen.claim({ id, until: over() })).toBe('claimed');
      expect([await seen.claim({ id, until: soon() }), await seen.claim({ id, until: soon() })]).toEqual(['claimed', 'in_progress']);
    });

    test('remembers what was handled until it may be forgotten', async () => {
      const seen = open();
      const [kept, past] = [randomUUID(), randomUUID()];
      for (const [id, forgetAt] of [
        [kept, soon()],
        [past, over()],
      ] as const) {
        await seen.claim({ id, until: soon() });
        await seen.finish({ id, forgetAt });
      }
      expect(await seen.claim({ id: kept, until: soon() })).toBe('handled');
      expect([await seen.claim({ id: past, until: soon() }), await seen.claim({ id: past, until: soon() })]).toEqual([
        'claimed',
        'in_progress',
      ]);
    });

    test('takes back what was claimed, and only that', async () => {
      const seen = open();
      const late = { id: randomUUID(), until: over() };
      const current = { id: late.id, until: soon() };
      await seen.claim(late);
      await seen.claim(current);
      await seen.release(late);
      expect(await seen.claim(current)).toBe('in_progress');
      await seen.release(current);
      expect(await seen.claim(current)).toBe('claimed');
      await seen.finish({ id: current.id, forgetAt: current.until });
      await seen.release(current);
      expect(await seen.claim(current)).toBe('handled');
    });

    test('remembers what was handled although its claim was over', async () => {
      const seen = open();
      const id = randomUUID();
      await seen.claim({ id, until: over() });
      await seen.finish({ id, forgetAt: soon() });
      expect(await seen.claim({ id, until: soon() })).toBe('handled');
    });
  });
};
