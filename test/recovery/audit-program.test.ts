import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const command = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts');

test('bench audit prints what it measures of a history, each with its bound', async () => {
  const child = spawn(process.execPath, [command, 'bench', 'audit', '--scale', '0.005'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve) => child.once('exit', resolve));
  expect(code, output).toBe(0);
  expect(output).toMatch(/signed tree from zero .*bound 50,000\/s: (?:kept|MISSED)/);
  expect(output).toMatch(/every projection from zero: [\d.]+ s, bound [\d.]+ s: (?:kept|MISSED)/);
  for (const question of [
    'newest of everything',
    'count of a client',
    'grants as of a position',
    'GET grants/{id}/lineage',
    'POST token as of a moment',
  ])
    expect(output).toMatch(new RegExp(`^${question.replaceAll(/[{}]/g, '.')} .*bound 50 ms: (?:kept|MISSED)`, 'm'));
  for (const format of ['ndjson', 'csv'])
    expect(output).toMatch(new RegExp(`export as ${format} .* MB in the first tenth, \\d+ MB after: (?:flat|MISSED)`));
});
