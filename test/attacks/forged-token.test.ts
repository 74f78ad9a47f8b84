import type { DemoPlatform } from '@grantlog/cli';
import { mintToken, type TokenKind } from '@grantlog/crypto';
import { createPool, type Pool } from '@grantlog/postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Agent, createAgent, post } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';

let deployment: Deployment;
let pool: Pool;
let agent: Agent;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  pool = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_api', max: 1 });
  agent = createAgent({ name: 'arlo-health', demo: deployment.demo.platforms['arlo-health'] as DemoPlatform });
  await agent.redeem(deployment.apis[0] as never, await agent.code(deployment.apis[0] as never));
});
afterAll(async () => {
  await pool.end();
  await deployment.stop();
});

const forge = (streamId: string, kind: TokenKind): string =>
  mintToken({
    prefix: 'arh',
    kind,
    platform: 'arlo-health',
    key: new Uint8Array(32),
    nonce: new Uint8Array(32),
    payload: { streamId, sequence: 1, expiresAt: 4_000_000_000, keyId: 1, scopes: [0], resource: null },
  });

test('a well-formed token of our own spelling that names any stream whatever is refused, and is no defect', async () => {
  const api = deployment.apis[0] as { readonly url: string };
  const { rows } = await pool.query<{ stream_id: string; type: string }>(
    `select distinct on (split_part(type, '.', 1)) stream_id, type from event where platform = 'arlo-health' order by split_part(type, '.', 1), version`,
  );
  expect(rows.map((row) => row.type.split('.')[0])).toEqual(
    expect.arrayContaining(['account', 'client', 'grant', 'platform', 'sign_in', 'signing_key']),
  );
  for (const { stream_id: stream, type } of rows) {
    expect((await agent.introspect(api, forge(stream, 'access'))).body, type).toEqual({ active: false });
    expect((await agent.refresh(api, forge(stream, 'refresh'))).body, type).toMatchObject({ error: 'invalid_grant' });
    expect((await agent.redeem(api, { code: forge(stream, 'code'), verifier: 'v'.repeat(43) })).body, type).toMatchObject({
      error: 'invalid_grant',
    });
    expect((await agent.revoke(api, forge(stream, 'refresh'))).status, type).toBe(200);
    const userinfo = await fetch(agent.at(api, '/oauth/userinfo'), { headers: { authorization: `Bearer ${forge(stream, 'access')}` } });
    expect(userinfo.status, type).toBe(401);
    const manage = await fetch(agent.at(api, '/manage/keys'), { headers: { authorization: `Bearer ${forge(stream, 'access')}` } });
    expect(manage.status, type).toBe(401);
  }
  expect((await post(agent.at(api, '/oauth/introspect'), { token: 'arh_a' }, { authorization: agent.authorization })).body).toEqual({
    active: false,
  });
  expect(await deployment.allLogs()).not.toContain('request failed');
});
