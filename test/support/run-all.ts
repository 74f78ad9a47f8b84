import { spawn, spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ensureProgram } from './programs.ts';

/** Everything there is to check, in one run; the counts come last. Arguments go to vitest, and then only its tests run. */
type Counts = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
};

/** What one run of vitest came to; `counts` is null for one that did not get as far as its report. */
type Run = { readonly status: number | null; readonly counts: Counts | null };

const folder = await mkdtemp(join(tmpdir(), 'grantlog-run-'));

/** Runs vitest. With `output` its words go to that file instead of the terminal. */
const runVitest = async (name: string, selection: readonly string[], output: string | null = null): Promise<Run> => {
  const report = join(folder, `${name}.json`);
  const child = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...selection],
    { stdio: output === null ? 'inherit' : ['ignore', 'pipe', 'pipe'] },
  );
  const file = output === null ? null : createWriteStream(output);
  if (file !== null) for (const words of [child.stdout, child.stderr]) words?.pipe(file, { end: false });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (file !== null) await new Promise<void>((resolve) => file.end(() => resolve()));
  const counts = await readFile(report, 'utf8').then(
    (text) => JSON.parse(text) as Counts, // written by vitest's own reporter
    () => null,
  );
  return { status, counts };
};

/**
 * Suites of one project follow each other, and wait more than they work. So the two long projects run side by side, each
 * with servers of its own; what the second says is shown after the first.
 */
const runEverything = async (): Promise<readonly Run[]> => {
  // Before either: two installations at once would stand in each other's way.
  for (const name of ['redis-server', 'chromium'] as const) ensureProgram(name);
  const output = join(folder, 'postgres.log');
  const [system, postgres] = await Promise.all([
    runVitest('system', ['--project', 'unit', '--project', 'system']),
    runVitest('postgres', ['--project', 'postgres'], output),
  ]);
  await pipeline(createReadStream(output), process.stdout, { end: false });
  return [system, postgres];
};

const selection = process.argv.slice(2);
const isWhole = selection.length === 0;
const checksFailed = isWhole && spawnSync(process.execPath, ['test/support/check.ts'], { stdio: 'inherit' }).status !== 0;
const runs = isWhole ? await runEverything() : [await runVitest('selection', selection)];
await rm(folder, { recursive: true, force: true });

// A suite that could not even be loaded has no tests to count, and is a failure all the same.
const failuresOf = ({ counts, status }: Run): number =>
  counts === null ? 1 : Math.max(counts.numFailedTests, counts.numFailedTestSuites > 0 || status !== 0 ? 1 : 0);
const sum = (of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
const failed = sum(failuresOf) + (checksFailed ? 1 : 0);
const skipped = sum(({ counts }) => counts?.numPendingTests ?? 0);
const passed = sum(({ counts }) => counts?.numPassedTests ?? 0) + (isWhole && !checksFailed ? 1 : 0);
if (skipped > 0) process.stdout.write(`${skipped} skipped by name\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
