import { spawnSync } from 'node:child_process';

const checks: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['types', ['node_modules/.bin/tsc', '-p', 'tsconfig.base.json']],
  ['format and lint', ['node_modules/.bin/biome', 'ci', '.']],
  ['type-aware lint', ['node_modules/.bin/oxlint', '--type-aware', '--deny-warnings', 'packages', 'services', 'test']],
  ['unused code', ['node_modules/.bin/knip']],
];

let failed = 0;
for (const [name, [program = '', ...parameters]] of checks) {
  const { status } = spawnSync(program, parameters, { stdio: 'inherit' });
  process.stdout.write(`${status === 0 ? 'passed' : 'FAILED'}: ${name}\n`);
  if (status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
