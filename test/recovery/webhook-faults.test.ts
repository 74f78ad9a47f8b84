import { expect, inject, test } from 'vitest';
import { faultWebhooks } from './faults/webhooks.ts';

const backends = (['redis', 'postgres'] as const).filter((name) => name === 'postgres' || inject('redisUrl') !== '');

test.each(backends)('every webhook is accounted for while workers, %s and the database fail', { timeout: 300_000 }, async (backend) => {
  const lines: string[] = [];
  const problems = await faultWebhooks({ deliveries: 2_000, backend, seed: Date.now() % 100_000, say: (line) => lines.push(line) });
  expect(problems, lines.join('\n')).toEqual([]);
  expect(lines.join('\n')).toMatch(/2000 expected, \d+ delivered/);
});
