import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '@grantlog/cli';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Along, startAlong } from '../reference/along/support/along.ts';
import { runWithPerson } from '../support/program.ts';
import type { TestAccount } from '../support/workbench.ts';

/** Programs as they are published, against a started server: a person signs in and allows what they ask for. */
let along: Along;
let account: TestAccount;
let home: string;

beforeAll(async () => {
  along = await startAlong(inject('databaseUrl'));
  account = await along.account();
  home = await mkdtemp(join(tmpdir(), 'grantlog-programs-'));
});
afterAll(async () => {
  await along.stop();
  await rm(home, { recursive: true, force: true });
});

const published = (path: string): string => join(import.meta.dirname, '..', 'node_modules', '@modelcontextprotocol', path);

describe('@modelcontextprotocol/conformance', () => {
  const run = async (args: readonly string[]) =>
    runWithPerson({
      script: published('conformance/dist/index.js'),
      args: ['authorization', '--url', along.issuer, '--port', String(await findFreePort()), ...args],
      issuer: along.issuer,
      person: account,
    });

  test.each([
    ['a preset client', async () => ['--client-id', 'claude-code']],
    ['a client that registered itself, for a resource', async () => ['--client-id', await along.newClient(), '--resource', along.mcp]],
  ])('finds nothing wrong with the authorization server, as %s', async (_client, args) => {
    const { out, code } = await run(await args());
    expect([code, out]).toEqual([0, expect.stringContaining('Total: 3 passed, 0 failed')]);
    expect(out).not.toMatch(/warning|skipped/i);
  });
});

describe('@modelcontextprotocol/inspector on its command line', () => {
  const run = async (args: readonly string[]) =>
    runWithPerson({
      script: published('inspector/clients/launcher/build/index.js'),
      args: [
        ...['--cli', '--server-url', along.mcp, '--transport', 'http', '--format', 'json', '--quiet'],
        ...['--callback-url', `http://127.0.0.1:${await findFreePort()}/oauth/callback`, ...args],
      ],
      // It would open a browser of this machine; here the person has one of their own.
      environment: { HOME: home, MCP_AUTO_OPEN_ENABLED: 'true', BROWSER: '/bin/true', MCP_INSPECTOR_SECRET_STORE: 'memory' },
      issuer: along.issuer,
      person: account,
    });

  test.each(['legacy', 'modern'])('registers itself, is let in, and lists the tools, in the %s era of the protocol', async (era) => {
    const { out, err, code } = await run(['--protocol-era', era, '--method', 'tools/list']);
    expect([code, err]).toEqual([0, expect.any(String)]);
    const { result } = JSON.parse(out) as { readonly result: { readonly tools: readonly { readonly name: string }[] } };
    expect(result.tools.map(({ name }) => name)).toEqual(['along_list_safes', 'along_select_safe', 'along']);
  });

  test('calls a tool', async () => {
    const { out, code } = await run(['--method', 'tools/call', '--tool-name', 'along_list_safes']);
    expect([code, JSON.parse(out)]).toMatchObject([0, { result: { structuredContent: { safes: [] } } }]);
  });
});
