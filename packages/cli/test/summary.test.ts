import { expect, test } from 'vitest';
import { summarise } from '../src/launcher/summary.ts';
import type { Demo } from '../src/seed/contract.ts';

const person = { email: 'person@example.com', password: 'person-password' };
const platform = (name: string): Demo['platforms'][string] => ({
  issuer: `http://localhost/${name}`,
  account: person,
  client: { client_id: 'web', client_secret: 'web-secret', redirect_uri: 'http://127.0.0.1/callback' },
  publicClient: { client_id: 'native', redirect_uri: 'http://127.0.0.1/callback' },
});

/** The numbers of the things to try, and all that is said. */
const summaryOf = (...names: readonly string[]) => {
  const platforms = Object.fromEntries(names.map((name) => [name, platform(name)]));
  const operator = { ...person, client: { client_id: 'machine', client_secret: 'machine-secret' } };
  const said = summarise({ url: 'http://localhost', demo: { url: 'http://localhost', operator, platforms }, demoPath: 'd', logs: 'l' });
  return { said, numbers: [...said.matchAll(/^ {2}(\d)\. /gm)].map(([, number]) => number) };
};

test('what to try are three things, of which one is where an MCP client connects', () => {
  const { said, numbers } = summaryOf('arlo', 'arlo-health');
  expect(numbers).toEqual(['1', '2', '3']);
  expect(said).toContain('point an MCP client at http://localhost/arlo-health/mcp');
  expect(said).toContain('grantlog audit grant <id>');
});

test('what to try are three things where no platform is for agents', () => {
  const { said, numbers } = summaryOf('arlo');
  expect(numbers).toEqual(['1', '2', '3']);
  expect(said).not.toContain('MCP');
  expect(said).toContain('grantlog audit grant <id>');
});
