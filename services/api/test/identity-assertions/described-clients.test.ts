import { randomUUID } from 'node:crypto';
import { jwtBearerGrant } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { makeKey, signed, shown as withAssertion } from '../client-assertion/support/keyed-clients.ts';
import { type Agent, type Enterprise, employee, openEnterprise } from './support/enterprise.ts';

let enterprise: Enterprise;
let platform: PlatformId;
beforeAll(async () => {
  enterprise = await openEnterprise(inject('databaseUrl'));
  platform = await enterprise.configure('documents', { registration: { policy: ['preset', 'metadata_document'] } });
});
afterAll(() => enterprise.close());

const plain = {
  client_name: 'Robot',
  redirect_uris: ['https://robot.example/cb'],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', jwtBearerGrant],
};

/** A client that is described by a document, and that nobody here has used yet. */
const described = (change: object = {}): Agent & { readonly path: string } => {
  const path = `/${randomUUID()}/client.json`;
  return { clientId: enterprise.site.describe(path, { ...plain, ...change }), stream: '' as never, secret: null, path };
};
const assertionFor = (client: Pick<Agent, 'clientId'>, change: Readonly<Record<string, unknown>> = {}, ...rest: readonly never[]): string =>
  enterprise.assertion(employee(), { aud: `http://localhost:4000/${platform}`, client_id: client.clientId, ...change }, ...rest);

describe('a client that only its document describes', () => {
  test('is let in by the provider that signs for it, and is known from then on', async () => {
    const robot = described();
    const before = await enterprise.world.head(platform);
    expect(await enterprise.show(assertionFor(robot), {}, { by: robot, at: platform })).toMatchObject({ status: 200 });
    const { rows } = await enterprise.world.deps.pool.query<{ type: string; how: string }>(
      `select type, data ->> 'how' as how from event where platform = $1 and position > $2 and type like 'client.%'`,
      [platform, before],
    );
    expect(rows).toEqual([{ type: 'client.registered', how: 'metadata_document' }]);
    expect(await enterprise.show(assertionFor(robot), {}, { by: robot, at: platform })).toMatchObject({ status: 200 });
  });

  test('has no document fetched by whoever has no provider', async () => {
    const robot = described();
    const stranger = { ...makeKey('ES256'), kid: enterprise.key.kid };
    const claims = { ...enterprise.claimsOf(employee()), aud: `http://localhost:4000/${platform}`, client_id: robot.clientId };
    for (const assertion of ['nonsense', signed(stranger, claims, { typ: 'oauth-id-jag+jwt' }), assertionFor({ clientId: 'another' })])
      expect(await enterprise.show(assertion, {}, { by: robot, at: platform })).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    expect(enterprise.site.asked).not.toContain(robot.path);
  });

  test('proves itself by its own key where its document says so', async () => {
    const key = makeKey('ES256');
    const robot = described({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } });
    const seconds = Math.floor(Date.now() / 1000);
    const prove = (by: typeof key) =>
      withAssertion(
        signed(by, {
          iss: robot.clientId,
          sub: robot.clientId,
          aud: `http://localhost:4000/${platform}`,
          jti: randomUUID(),
          iat: seconds,
          exp: seconds + 60,
        }),
      );
    const bare = { by: robot, at: platform };
    expect(await enterprise.show(assertionFor(robot), {}, bare)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(await enterprise.show(assertionFor(robot), prove({ ...makeKey('ES256'), kid: key.kid }), bare)).toMatchObject({ status: 401 });
    expect(await enterprise.show(assertionFor(robot), prove(key), bare)).toMatchObject({ status: 200 });
  });

  test('needs the grant type in its document', async () => {
    const robot = described({ grant_types: ['authorization_code'] });
    expect(await enterprise.show(assertionFor(robot), {}, { by: robot, at: platform })).toMatchObject({
      status: 400,
      body: { error: 'unauthorized_client' },
    });
  });

  test('gets nothing more once the platform takes no clients of its site', async () => {
    const policy = ['preset', 'metadata_document'];
    const choosy = await enterprise.configure('choosy', { registration: { policy } });
    const robot = described();
    const show = () => enterprise.show(assertionFor(robot, { aud: `http://localhost:4000/${choosy}` }), {}, { by: robot, at: choosy });
    expect(await show()).toMatchObject({ status: 200 });
    await enterprise.configure('choosy', { registration: { policy, metadataDocuments: { deny: ['localhost'] } } });
    expect(await show()).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  test('is unknown where the platform takes no such clients, or where there is no document', async () => {
    const robot = described();
    const strict = await enterprise.configure('no-documents');
    const shown = assertionFor(robot, { aud: `http://localhost:4000/${strict}` });
    expect(await enterprise.show(shown, {}, { by: robot, at: strict })).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const gone = { ...robot, clientId: `${enterprise.site.origin}/gone.json` };
    expect(await enterprise.show(assertionFor(gone), {}, { by: gone, at: platform })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
  });
});

test('a client that is neither registered nor described is unknown, whatever it shows', async () => {
  const nobody: Agent = { clientId: 'nobody', stream: '' as never, secret: null };
  expect(await enterprise.show(assertionFor(nobody), {}, { by: nobody, at: platform })).toMatchObject({
    status: 401,
    body: { error: 'invalid_client' },
  });
});
