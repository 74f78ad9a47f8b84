import { parseWebhookSecret } from '@grantlog/crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, createWorld, type World } from '../management/support/world.ts';

let world: World;
let token: string;
let machine: Awaited<ReturnType<World['machine']>>;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  machine = await world.machine([], { platform: world.arlo });
  token = await machine.token({ scope: 'read' });
});
afterAll(() => world.close());

const collection = '/arlo/webhooks/endpoints';
const call = (method: 'POST' | 'DELETE', at: string, body?: unknown): Promise<Answer> => world.call(token, method, at, body);
const register = async (more: object = {}) => {
  const { status, body, text } = await call('POST', collection, { url: 'http://127.0.0.1:9000/hook', ...more });
  if (status !== 201) throw new Error(text);
  return { id: String(body['endpointId']), at: `${collection}/${body['endpointId']}`, body };
};

describe('the key set of an endpoint', () => {
  const keysAt = async (at: string): Promise<readonly Readonly<Record<string, string>>[]> => {
    const { status, body } = await world.call(null, 'GET', `${at}/jwks.json`);
    expect(status).toBe(200);
    return body['keys'] as readonly Readonly<Record<string, string>>[];
  };
  const xOf = (whpk: unknown): unknown => {
    const parsed = parseWebhookSecret(String(whpk));
    return parsed?.scheme === 'v1a' ? parsed.publicKey.export({ format: 'jwk' }).x : null;
  };

  test('has the public keys that are good now, newest first, and nothing of who has it', async () => {
    const { at, body } = await register({ signature: 'v1a' });
    const [first, ...none] = await keysAt(at);
    expect(none).toEqual([]);
    expect(first).toEqual({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: expect.any(String), x: xOf(body['publicKey']) });
    const rotated = await call('POST', `${at}/secret`, {});
    expect((await keysAt(at)).map(({ x }) => x)).toEqual([xOf(rotated.body['publicKey']), first?.['x']]);
    const last = await call('POST', `${at}/secret`, { overlapSeconds: 0 });
    expect((await keysAt(at)).map(({ x }) => x)).toEqual([xOf(last.body['publicKey'])]);
    await call('DELETE', at);
    expect((await world.call(null, 'GET', `${at}/jwks.json`)).status).toBe(404);
  });

  test('is 404 of a shared secret, on another platform and of what is no endpoint', async () => {
    const [shared, keyed] = [await register(), await register({ signature: 'v1a' })];
    for (const at of [shared.at, `/along/webhooks/endpoints/${keyed.id}`, `${collection}/${machine.stream}`, `${collection}/nonsense`])
      expect(await world.call(null, 'GET', `${at}/jwks.json`)).toMatchObject({ status: 404, body: { code: 'unknown_endpoint' } });
  });
});
