import { createWebhookKeyPair } from '@grantlog/crypto';
import type { StreamId } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { sealCredential } from '@grantlog/provisioning';
import { describe, expect, test } from 'vitest';
import { isSignedBy, jwkOfWhpk } from './support/keyless-receiver.ts';
import { useScene } from './support/scene.ts';
import { platform, until } from './support/world.ts';

const scene = useScene();

const store = async (owner: StreamId, kind: 'webhook_headers' | 'webhook_bearer', text: string): Promise<string> => {
  const { sealer, api } = scene.world();
  const credential = sealCredential(sealer, { platform, owner, kind, bytes: new TextEncoder().encode(text) });
  await insertCredentials(api, [credential]);
  return credential.id;
};

/** Gives an endpoint headers, as their change records them. */
const give = async (endpoint: StreamId, headers: Readonly<Record<string, string>>): Promise<void> => {
  const credentialId = await store(endpoint, 'webhook_headers', JSON.stringify(headers));
  await scene.world().append(endpoint, { type: 'webhook_endpoint.headers_set', data: { credentialId, names: Object.keys(headers) } });
};

describe('the headers of an endpoint', () => {
  const secret = 'a-secret-of-the-receiver';
  const own = { 'x-tenant': secret, 'X-Api-Key': `${secret}-and-more`, 'X-Empty': '' };

  test('are sent beside the signature and the token, until they are taken away', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    const endpoint = await world.endpoint({ url: receiver.url, client });
    await give(endpoint.id, own);
    const credentialId = await store(endpoint.id, 'webhook_bearer', 'a-token-of-theirs');
    await world.append(endpoint.id, { type: 'webhook_endpoint.bearer_rotated', data: { credentialId, previousValidUntil: 0 } });
    await scene.worker();
    const grant = await world.grant({ client });
    const [sent] = await until(
      () => receiver.ofType('grant.authorized'),
      ({ length }) => length === 1,
    );
    expect(sent?.headers).toMatchObject({
      'x-api-key': own['X-Api-Key'],
      'x-tenant': secret,
      'x-empty': '',
      authorization: 'Bearer a-token-of-theirs',
      'content-type': 'application/json',
      'webhook-signature': expect.stringMatching(/^v1,/),
    });
    expect(sent?.headers).not.toHaveProperty('webhook-key-id');
    await world.append(endpoint.id, { type: 'webhook_endpoint.headers_set', data: { credentialId: null, names: [] } });
    await world.revoke(grant);
    const [last] = await until(
      () => receiver.ofType('grant.revoked'),
      ({ length }) => length === 1,
    );
    expect(last?.headers).not.toHaveProperty('x-api-key');
    expect(last?.headers.authorization).toBe('Bearer a-token-of-theirs');
  });

  test('are kept nowhere when a receiver repeats them', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(({ headers }) => ({
      status: 500,
      body: `you sent ${headers['x-api-key']} for ${headers['x-tenant']}, and we are out of order`,
    }));
    const endpoint = await world.endpoint({ url: receiver.url });
    await give(endpoint.id, own);
    await scene.worker();
    await world.grant({ client: await world.client('agent-1') });
    const { rows } = await until(
      () => world.pool.query<{ response: string | null }>('select response from attempt where response is not null'),
      (found) => found.rows.length > 0,
    );
    expect(rows[0]?.response).toBe('you sent [redacted] for [redacted], and we are out of order');
  });
});

test('what an Ed25519 endpoint without a session is sent names its newest key, and both sign in between', async () => {
  const world = scene.world();
  const receiver = await scene.receiver();
  const client = await world.client('agent-1');
  const { id } = await world.endpoint({ url: receiver.url, client, signature: 'v1a' });
  const keys = [createWebhookKeyPair(), createWebhookKeyPair()];
  const stored: { readonly id: string }[] = [];
  for (const { secretKey } of keys) {
    const credential = await world.storeSecret(id, secretKey);
    stored.push(credential);
    const previousValidUntil = stored.length === 1 ? 0 : Math.floor(Date.now() / 1000) + 600;
    await world.append(id, { type: 'webhook_endpoint.secret_rotated', data: { credentialId: credential.id, previousValidUntil } });
  }
  await scene.worker();
  await world.grant({ client });
  const [sent] = await until(
    () => receiver.ofType('grant.authorized'),
    ({ length }) => length === 1,
  );
  if (sent === undefined) throw new Error('nothing was sent');
  expect(sent.headers['webhook-key-id']).toBe(stored[1]?.id);
  for (const { publicKey } of keys) expect(await isSignedBy(jwkOfWhpk(publicKey), sent)).toBe(true);
});
