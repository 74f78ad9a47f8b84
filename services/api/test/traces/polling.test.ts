import { deviceCodeGrant } from '@grantlog/domain';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openAgentWorld } from '../pages/support/agents.ts';

let world: Awaited<ReturnType<typeof openAgentWorld>>;
beforeAll(async () => {
  world = await openAgentWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

test('a client that asks again and again whether its person has decided has failed at nothing', async () => {
  const { sessionId, platform } = await world.begin({ via: 'device_authorization' });
  const ask = async (deviceCode: string) => {
    const response = await world.app.inject({
      method: 'POST',
      url: `/${platform}/oauth/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ grant_type: deviceCodeGrant, device_code: deviceCode, client_id: 'unidentified-agent' }).toString(),
    });
    return response.json<{ readonly error: string }>().error;
  };
  expect([await ask(sessionId), await ask(sessionId)]).toEqual(['authorization_pending', 'slow_down']);
  expect(await ask('nonsense')).toBe('invalid_grant');
  await new Promise((resolve) => setTimeout(resolve, 600));
  const { rows } = await world.deps.pool.query<{ error: string }>(`select error from connection_step where step = 'token'`);
  expect(rows.map(({ error }) => error)).toEqual(['invalid_grant']);
});
