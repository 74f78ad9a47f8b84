import { deviceCodeGrant } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { activateKey, createKey, retireKey } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type AgentWorld, by, openAgentWorld } from './support/agents.ts';

let world: AgentWorld;
beforeAll(async () => {
  world = await openAgentWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

/** The first token key of a platform is in somebody else's hands: another takes its place at once. */
const compromise = async (platform: PlatformId): Promise<void> => {
  const { provisioning } = world.deps;
  const created = await createKey(provisioning, by, { platform, alg: 'HS256' });
  if ('refusal' in created) throw new Error(created.refusal);
  for (const outcome of [
    await activateKey(provisioning, by, { platform, key: { use: 'token', keyId: 2 }, reason: 'compromised' }),
    await retireKey(provisioning, by, { platform, key: { use: 'token', keyId: 1 }, reason: 'compromised' }),
  ]) {
    if ('refusal' in outcome) throw new Error(outcome.refusal);
  }
};

describe('a session whose token key was retired as compromised', () => {
  test.each([
    ['the number', 'init_signup', 'key-of-number', (number: number) => ({ number: String(number) })],
    ['allow', 'device_authorization', 'key-of-device', () => ({ decision: 'allow' })],
    ['no', 'init_signup', 'key-of-no', () => ({ decision: 'deny' })],
  ] as const)('is over for the page that was open: %s gives nothing', async (_, via, name, fields) => {
    const platform = await world.configure(name);
    const session = await world.begin({ platform, via });
    const at = await world.atConnect(session);
    expect(at.page.status).toBe(200);
    await compromise(platform);
    const { result, events } = await world.during(
      () => at.browser.post('/connect', { ...at.page.hidden, ...fields(session.number) }),
      platform,
    );
    expect([result.status, result.text.includes('This link cannot be used any more'), events]).toEqual([410, true, []]);
    expect(await world.grantOf(session)).toEqual({ status: 'none' });
  });

  test('is over for who signs in after it, and its link is none', async () => {
    const platform = await world.configure('key-of-form');
    const session = await world.begin({ platform });
    const person = await world.account(platform);
    const browser = world.createBrowser(platform);
    const form = await browser.open(session.path);
    await compromise(platform);
    const page = await browser.post('/sign-in', { ...form.hidden, email: person.email, password: person.password });
    expect([page.status, page.text.includes('This link cannot be used any more')]).toEqual([410, true]);
    expect((await browser.open(session.path)).status).toBe(404);
    const redeemed = await world.app.inject({
      method: 'POST',
      url: `/${platform}/oauth/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: String(
        new URLSearchParams({ grant_type: deviceCodeGrant, client_id: 'unidentified-agent', device_code: session.sessionId }),
      ),
    });
    expect([redeemed.statusCode, redeemed.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
  });
});
