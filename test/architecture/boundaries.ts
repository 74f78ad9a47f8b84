import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** Who may import whom inside the workspace; what is not listed is forbidden (ARCHITECTURE.md, "Who may import whom"). */
export const internalEdges: Readonly<Record<string, readonly string[]>> = {
  'packages/eventsourcing': [],
  'packages/domain': ['eventsourcing'],
  'packages/protocol': [],
  'packages/crypto': [],
  'packages/transparency': ['crypto'],
  'packages/postgres': ['eventsourcing', 'crypto'],
  'packages/read-models': ['postgres', 'domain', 'eventsourcing', 'crypto', 'transparency'],
  'packages/guard': ['protocol', 'crypto'],
  'packages/egress': [],
  'packages/runtime': [],
  'packages/provisioning': ['postgres', 'domain', 'eventsourcing', 'crypto'],
  'packages/cli': [
    'crypto',
    'domain',
    'egress',
    'eventsourcing',
    'postgres',
    'protocol',
    'provisioning',
    'read-models',
    'runtime',
    'transparency',
  ],
  'services/api': [
    'crypto',
    'domain',
    'egress',
    'eventsourcing',
    'postgres',
    'protocol',
    'provisioning',
    'read-models',
    'runtime',
    'transparency',
  ],
  'test/example-resources': ['guard'],
  'test/example-clients': [],
  'services/worker': ['crypto', 'domain', 'egress', 'eventsourcing', 'postgres', 'provisioning', 'read-models', 'runtime', 'transparency'],
};

/** Modules that one place alone may import. */
export const soleImporters: readonly { readonly module: RegExp; readonly owners: readonly string[] }[] = [
  { module: /^(node:crypto|jose)$/, owners: ['packages/crypto'] },
  { module: /^pg$/, owners: ['packages/postgres'] },
  { module: /^(fastify|@fastify\/.*)$/, owners: ['services/api'] },
  { module: /^bullmq$/, owners: ['services/worker'] },
  { module: /^ioredis$/, owners: ['services/worker', 'services/api'] },
  { module: /^undici$/, owners: ['packages/egress'] },
  { module: /^kysely$/, owners: ['packages/read-models'] },
];

/** Packages that do no I/O: no module of Node, nothing from outside. */
export const purePackages: readonly string[] = ['packages/eventsourcing', 'packages/domain', 'packages/protocol', 'packages/transparency'];

/**
 * Workspaces in which something may make requests without the guarded client of packages/egress: who asks the one server that it
 * was configured with, and what runs on the machine of whoever started it.
 */
const ownClients: readonly string[] = [
  'packages/egress',
  'packages/guard',
  'packages/cli',
  'test/example-resources',
  'test/example-clients',
];
const madeWithout =
  /(?<![.\w])(?:fetch|new (?:WebSocket|EventSource))\(|import\s+(?!type\b)(?:\w|\*|\{[^}]*\b(?:request|get|Agent|connect)\b)[^;]*?\sfrom 'node:(?:http|https|http2)'/;

export type Violation = { readonly file: string; readonly imports: string; readonly why: string };

const importOf = /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

const judge = (workspace: string, file: string, specifier: string): Violation | null => {
  const violation = (why: string): Violation => ({ file, imports: specifier, why });
  const internal = /^@grantlog\/([a-z-]+)(\/.*)?$/.exec(specifier);
  if (internal !== null) {
    const [, name = '', deep] = internal;
    if (deep !== undefined) return violation('deep import');
    return (internalEdges[workspace] ?? []).includes(name) ? null : violation(`${workspace} may not import ${name}`);
  }
  if (specifier.startsWith('.')) {
    const target = relative('.', join(file, '..', specifier));
    return target.startsWith(`${workspace}/`) ? null : violation('a relative import leaves its workspace');
  }
  const sole = soleImporters.find(({ module }) => module.test(specifier));
  if (sole !== undefined && !sole.owners.includes(workspace)) return violation(`only ${sole.owners.join(', ')} may import it`);
  // The given/when/then of eventsourcing is for tests and compares with Node's own assert.
  if (purePackages.includes(workspace) && !file.endsWith('specification.ts'))
    return violation('a pure package imports nothing from outside');
  return null;
};

/** Every import of every source file below `root` that breaks the table. @returns also how many files were read. */
export const findViolations = async (root: string): Promise<{ readonly files: number; readonly violations: readonly Violation[] }> => {
  const violations: Violation[] = [];
  let files = 0;
  for (const workspace of Object.keys(internalEdges)) {
    const names = await readdir(join(root, workspace, 'src'), { recursive: true }).catch(() => []);
    for (const name of names.filter((each) => each.endsWith('.ts'))) {
      files += 1;
      const file = join(workspace, 'src', name);
      const text = await readFile(join(root, file), 'utf8');
      for (const [, from, dynamic] of text.matchAll(importOf)) {
        const found = judge(workspace, file, from ?? dynamic ?? '');
        if (found !== null) violations.push(found);
      }
      const outbound = ownClients.includes(workspace) ? null : madeWithout.exec(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''));
      if (outbound !== null) violations.push({ file, imports: outbound[0], why: 'only packages/egress makes requests' });
    }
  }
  return { files, violations };
};
