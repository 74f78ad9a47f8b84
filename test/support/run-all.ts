import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Everything there is to check, in one run; the counts come last. Arguments go to vitest, and then only its tests run. */
type Counts = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
};

const selection = process.argv.slice(2);
let checksFailed = 0;
if (selection.length === 0) {
  const { status } = spawnSync(process.execPath, ['test/support/check.ts'], { stdio: 'inherit' });
  if (status !== 0) checksFailed = 1;
}

const folder = await mkdtemp(join(tmpdir(), 'grantlog-run-'));
const report = join(folder, 'report.json');
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...selection],
  { stdio: 'inherit' },
);
const counts = await readFile(report, 'utf8').then(
  (text) => JSON.parse(text) as Counts, // written by vitest's own reporter
  () => null,
);
await rm(folder, { recursive: true, force: true });

// A suite that could not even be loaded has no tests to count, and is a failure all the same.
const failed = checksFailed + (counts === null ? 1 : Math.max(counts.numFailedTests, counts.numFailedTestSuites > 0 ? 1 : 0));
const skipped = counts?.numPendingTests ?? 0;
if (skipped > 0) process.stdout.write(`${skipped} skipped by name\n`);
process.stdout.write(
  `${(counts?.numPassedTests ?? 0) + (selection.length === 0 && checksFailed === 0 ? 1 : 0)} passed, ${failed} failed\n`,
);
process.exitCode = failed === 0 && status === 0 ? 0 : 1;
