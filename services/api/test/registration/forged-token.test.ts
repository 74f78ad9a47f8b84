import { mintToken, randomToken, type TokenKind } from '@grantlog/crypto';
import { registerClient } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { foldClient, foldKeyRing, platformStreams } from '../../src/platforms/load-parties.ts';
import { by, openRegistrations, type Registrations } from './support/registrations.ts';

let world: Registrations;
beforeAll(async () => {
  world = await openRegistrations(inject('databaseUrl'));
});
afterAll(() => world.close());

const app = { client_name: 'An app', redirect_uris: ['https://a.example/cb'], token_endpoint_auth_method: 'none' };

/** A token for a client, well formed, with whatever a forger may have of what belongs into it. */
const forge = async (clientId: string, change: { kind?: TokenKind; nonce?: Uint8Array; key?: Uint8Array; platform?: string } = {}) => {
  const stream = (await world.deps.directory.open(world.home))?.client(clientId);
  if (stream === undefined) throw new Error('home is there');
  const loaded = await world.deps.log.load(world.home, [...platformStreams, { streamId: stream }]);
  const client = foldClient(loaded, stream);
  if (client.status !== 'active') throw new Error('the client is there');
  const keys = await world.deps.keys.of(world.home, foldKeyRing(loaded));
  const key = keys.tokenKey(keys.mintingTokenKeyId);
  if (key === null) throw new Error('the minting key is on the ring');
  return mintToken({
    prefix: 'avo',
    kind: 'registration_access',
    platform: world.home,
    key,
    nonce: Uint8Array.fromBase64(client.tokenNonce ?? '', { alphabet: 'base64url' }),
    payload: { streamId: stream, sequence: 0, expiresAt: 2 ** 40 - 1, keyId: keys.mintingTokenKeyId, scopes: [], resource: null },
    ...change,
  });
};

describe('a forged registration access token', () => {
  test.each<[string, Parameters<typeof forge>[1]]>([
    ['under a key of the forger’s own', { key: new Uint8Array(32).fill(7) }],
    ['over another nonce', { nonce: new Uint8Array(32).fill(7) }],
    ['of another platform', { platform: 'other' }],
    ['of another kind, though everything else is right', { kind: 'access' }],
  ])('%s opens nothing', async (_, change) => {
    const { id, token } = await world.registered(app);
    expect(await forge(id)).toBe(token);
    expect(await world.manage('GET', id, await forge(id, change))).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
  });

  test('opens no client that an operator or a developer registered, even where it is right', async () => {
    const outcome = await registerClient(world.deps.provisioning, by, {
      ...{
        platform: world.home,
        clientId: randomToken(16),
        kind: 'public',
        how: 'portal',
        name: 'Approved',
        redirectUris: app.redirect_uris,
      },
      ...{ grantTypes: ['authorization_code'], scopes: null, authMethods: null, idTokenAlg: null, serves: [], roles: [] },
      ...{ approval: 'approved', secret: null },
    });
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    const right = await forge(outcome.clientId);
    for (const method of ['GET', 'DELETE'] as const)
      expect(await world.manage(method, outcome.clientId, right)).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
  });
});
