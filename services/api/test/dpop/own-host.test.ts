import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import type { Answer } from '../management/support/world.ts';
import { createDpopWorld, type DpopWorld } from './support/dpop-world.ts';

let world: DpopWorld;
let basic: Readonly<Record<string, string>>;
const path = '/oauth/token';
const ask = (host: string, dpop: string): Promise<Answer> =>
  world.post(path, { grant_type: 'client_credentials', scope: 'read' }, { ...basic, host, dpop });
const proofFor = (url: string): string => world.key().proof({ method: 'POST', url });

beforeAll(async () => {
  world = await createDpopWorld(inject('databaseUrl'));
  const platform = await world.configure({
    name: 'housed',
    issuer: 'https://login.example',
    hosts: ['login.example', 'other.example:8443'],
    resources: [],
    mcpServer: null,
    agentSignUp: null,
    presetClients: [],
    grantTypes: ['client_credentials'],
  });
  const client = await world.register({ platform, kind: 'confidential', grantTypes: ['client_credentials'] });
  basic = { authorization: `Basic ${btoa(`${client.clientId}:${client.secret}`)}` };
  // Every process hears of a new host within five seconds.
  await vi.waitFor(async () => expect((await ask('login.example', 'x')).status).toBe(400), { timeout: 15_000, interval: 250 });
});
afterAll(() => world.close());

test.each([
  ['login.example', 'https://login.example/oauth/token'],
  ['LOGIN.example', 'https://login.example/oauth/token'],
  ['other.example:8443', 'https://other.example:8443/oauth/token'],
  // What the metadata says, whatever a proxy in front has made of the host.
  ['other.example:8443', 'https://login.example/oauth/token'],
])('a platform with a host of its own takes at %s a proof for %s', async (host, url) => {
  expect(await ask(host, proofFor(url))).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
});

test.each([
  ['login.example', 'http://login.example/oauth/token'],
  ['login.example', 'https://login.example/housed/oauth/token'],
  ['login.example', 'http://localhost:4000/housed/oauth/token'],
  ['login.example', 'https://other.example:8443/oauth/token'],
])('and at %s none for %s', async (host, url) => {
  expect(await ask(host, proofFor(url))).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
});
