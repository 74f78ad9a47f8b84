import { spawn, spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ensureProgram } from './programs.ts';

/** Everything there is to check, in one run; the counts come last. Arguments go to vitest, and then only its tests run. */
type Report = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
};

/** What one run of vitest came to; `report` is null for one that did not get as far as writing it. */
type Run = { readonly name: string; readonly status: number | null; readonly report: Report | null };

const folder = await mkdtemp(join(tmpdir(), 'grantlog-run-'));

/** Runs vitest. With `output` its words go to that file instead of the terminal. */
const runVitest = async (name: string, selection: readonly string[], output: string | null = null): Promise<Run> => {
  const reportFile = join(folder, `${name}.json`);
  const child = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`, ...selection],
    { stdio: output === null ? 'inherit' : ['ignore', 'pipe', 'pipe'] },
  );
  const file = output === null ? null : createWriteStream(output);
  if (file !== null) for (const words of [child.stdout, child.stderr]) words?.pipe(file, { end: false });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (file !== null) await new Promise<void>((resolve) => file.end(() => resolve()));
  const report = await readFile(reportFile, 'utf8').then(
    (text) => JSON.parse(text) as Report, // written by vitest's own reporter
    () => null,
  );
  return { name, status, report };
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
const failuresOf = ({ report, status }: Run): number =>
  report === null ? 1 : Math.max(report.numFailedTests, report.numFailedTestSuites > 0 || status !== 0 ? 1 : 0);

/** What failed, by name and in a few lines each: of a long run, the end is what is read. */
const namesOfFailures = ({ name, report, status }: Run): readonly string[] => {
  if (report === null) return [`${name}: ended with ${status} before it wrote its report`];
  const short = (message: string): string => message.split('\n').slice(0, 6).join('\n    ');
  const named = report.testResults.flatMap((file) => {
    const path = relative(process.cwd(), file.name);
    const tests = file.assertionResults.filter(({ status: outcome }) => outcome === 'failed');
    if (tests.length === 0 && file.status === 'failed') return [`${path}\n    ${short(file.message)}`];
    return tests.map(({ fullName, failureMessages }) => `${path}: ${fullName}\n    ${failureMessages.map(short).join('\n    ')}`);
  });
  // An error outside of every test fails the run and no test of it.
  return named.length === 0 && status !== 0 ? [`${name}: ended with ${status} although no test failed; see "Unhandled" above`] : named;
};

const sum = (of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
const failed = sum(failuresOf) + (checksFailed ? 1 : 0);
const skipped = sum(({ report }) => report?.numPendingTests ?? 0);
const passed = sum(({ report }) => report?.numPassedTests ?? 0) + (isWhole && !checksFailed ? 1 : 0);
for (const failure of [...(checksFailed ? ['test/support/check.ts: see the beginning'] : []), ...runs.flatMap(namesOfFailures)]) {
  process.stdout.write(`failed: ${failure}\n`);
}
if (skipped > 0) process.stdout.write(`${skipped} skipped by name\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
