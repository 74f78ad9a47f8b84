import { access, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const checkout = join(import.meta.dirname, '..', '..');
const readText = (name: string): Promise<string> => readFile(join(checkout, name), 'utf8');

const documents = ['README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CONTRIBUTING.md', 'UPGRADE.md', 'infra/README.md'];

describe('the documents', () => {
  test.each(documents)('%s links only to what is there', async (name) => {
    const text = await readText(name);
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, target = '']) => target);
    const missing: string[] = [];
    for (const link of links) await access(join(checkout, dirname(name), link)).catch(() => missing.push(link));
    expect(missing).toEqual([]);
  });

  test('name only commands that exist', async () => {
    const { scripts } = JSON.parse(await readText('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    const table = await readText('packages/cli/src/command-table.ts');
    const commands = (await Promise.all(documents.map(readText))).flatMap((text) => [
      ...text.matchAll(/npx -y pnpm@12 ([a-z]+)(?: ([a-z]+))?/g),
    ]);
    expect(commands.length).toBeGreaterThan(8);
    for (const [whole, script = '', sub] of commands) {
      if (script === 'install') continue;
      expect(Object.keys(scripts), whole).toContain(script);
      if (script === 'grantlog' && sub !== undefined) expect(`${table} help`, whole).toContain(sub);
    }
  });

  test('begin with the two commands on the first screen of the README', async () => {
    const screen = (await readText('README.md')).split('\n').slice(0, 35).join('\n');
    expect(screen).toContain('npx -y pnpm@12 start');
    expect(screen).toContain('npx -y pnpm@12 test');
    for (const folder of ['services/api', 'services/worker', 'packages/domain', 'packages/postgres', 'infra', 'test'])
      expect(screen).toContain(folder);
  });
});

test('the top level holds what it may hold and nothing else', async () => {
  const allowed = new Set([
    'services',
    'packages',
    'infra',
    'test',
    'pnpm-workspace.yaml',
    'package.json',
    'tsconfig.base.json',
    'pnpm-lock.yaml',
    'README.md',
    'ARCHITECTURE.md',
    'SECURITY.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'UPGRADE.md',
    'LICENSE',
    'biome.json',
    'knip.json',
    'vitest.config.ts',
    'node_modules',
  ]);
  const found = (await readdir(checkout)).filter((name) => !name.startsWith('.'));
  expect(found.filter((name) => !allowed.has(name))).toEqual([]);
});
