import { parseArgs } from 'node:util';
import { faultWebhooks } from './webhooks.ts';

const usage = `pnpm faults webhooks [--deliveries <n>] [--backend redis|postgres] [--seed <n>]

Delivers webhooks (100,000 unless told otherwise) to receivers that fail 30 times in 100, while workers are killed, Redis is
flushed twice and Postgres crashes once, and gives an account of every one. The exit code says whether it is in order.`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    deliveries: { type: 'string', default: '100000' },
    backend: { type: 'string', default: 'redis' },
    seed: { type: 'string', default: '1' },
  },
});
const deliveries = Number(values.deliveries);
const { backend } = values;
if (
  positionals.join() !== 'webhooks' ||
  !(deliveries >= 20 && deliveries <= 10_000_000) ||
  (backend !== 'redis' && backend !== 'postgres')
) {
  say(usage);
  process.exit(2);
}
const problems = await faultWebhooks({ deliveries, backend, seed: Number(values.seed), say });
for (const problem of problems) say(`WRONG: ${problem}`);
if (problems.length === 0) say('in order: nothing lost, nothing stuck');
process.exit(problems.length === 0 ? 0 : 1);
