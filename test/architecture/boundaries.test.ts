import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { findViolations, internalEdges } from './boundaries.ts';

const checkout = join(import.meta.dirname, '..', '..');

describe('the table of who may import whom', () => {
  test('holds for every source file', async () => {
    const { files, violations } = await findViolations(checkout);
    expect(files).toBeGreaterThan(150);
    expect(violations).toEqual([]);
  });

  test('names every workspace that there is', async () => {
    const packages = (await readdir(join(checkout, 'packages'))).map((name) => `packages/${name}`);
    const services = (await readdir(join(checkout, 'services'))).map((name) => `services/${name}`);
    const examples = (await readdir(join(checkout, 'test'))).filter((name) => name.startsWith('example-')).map((name) => `test/${name}`);
    expect([...packages, ...services, ...examples].sort()).toEqual(Object.keys(internalEdges).sort());
  });
});

describe('the check itself', () => {
  let root: string | null = null;
  afterEach(async () => {
    if (root !== null) await rm(root, { recursive: true });
    root = null;
  });

  test.each([
    ['packages/domain/src/a.ts', "import { x } from '@grantlog/postgres';"],
    ['packages/domain/src/a.ts', "import { readFile } from 'node:fs';"],
    ['packages/protocol/src/a.ts', "export { x } from '@grantlog/domain';"],
    ['services/api/src/a/b.ts', "import { Queue } from 'bullmq';"],
    ['services/worker/src/a.ts', "import { x } from '@grantlog/protocol';"],
    ['services/worker/src/a.ts', "import type { x } from '../../api/src/app.ts';"],
    ['packages/egress/src/a.ts', "import { createHash } from 'node:crypto';"],
    ['packages/cli/src/a.ts', "const x = await import('pg');"],
    ['packages/cli/src/a.ts', "import { x } from '@grantlog/domain/src/ids.ts';"],
    ['services/api/src/a.ts', 'const answer = await fetch(clientIdUrl);'],
    ['services/worker/src/a.ts', "import { request } from 'node:https';"],
    ['packages/provisioning/src/a.ts', 'const socket = new WebSocket(url);'],
  ])('finds a violation planted in %s: %s', async (file, text) => {
    root = await mkdtemp(join(tmpdir(), 'grantlog-boundaries-'));
    await mkdir(join(root, dirname(file)), { recursive: true });
    await writeFile(join(root, file), `${text}\n`);
    const { violations } = await findViolations(root);
    expect(violations).toHaveLength(1);
    expect(violations[0]?.file).toBe(file);
  });
});
