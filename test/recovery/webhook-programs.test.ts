import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';

const checkout = join(import.meta.dirname, '..', '..');

const run = (script: string, ...argv: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [join(checkout, script), ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('exit', (code) => resolve({ code, output }));
  });

test('faults says how it is used where it is asked for something else', async () => {
  const { code, output } = await run('test/recovery/faults/main.ts', 'mail');
  expect(code).toBe(2);
  expect(output).toContain('pnpm faults webhooks [--deliveries <n>]');
});

test.runIf(inject('redisUrl') !== '')('bench webhooks prints what it measures, beside the bare loop on both queues', async () => {
  const { code, output } = await run('packages/cli/src/main.ts', 'bench', 'webhooks', '--scale', '0.01');
  expect(code, output).toBe(0);
  for (const backend of ['redis', 'postgres']) {
    expect(output).toMatch(new RegExp(`few endpoints, many events, ${backend}: \\d+/s, \\d+ µs of Node.*bare \\d+/s.*: [\\d.]+ ×`));
    expect(output).toMatch(new RegExp(`1,000 endpoints, one event each, ${backend}: \\d+/s`));
    expect(output).toMatch(new RegExp(`commit to first attempt at 200 events/s, ${backend}: p50 [\\d.]+ ms, p99 [\\d.]+ ms`));
    expect(output).toMatch(
      new RegExp(`one slow endpoint among 100, ${backend}: p99 of the others [\\d.]+ ms without it, [\\d.]+ ms with it`),
    );
  }
});
