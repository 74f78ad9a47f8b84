import { createHash, randomBytes } from 'node:crypto';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { NewClient } from '@grantlog/provisioning';
import {
  type Answer,
  createKeyedClients,
  type Fields,
  type KeyedClient,
  makeKey,
  shown,
  signed,
  type TestKey,
} from '../../client-assertion/support/keyed-clients.ts';
import { openAgentWorld } from '../../pages/support/agents.ts';

const redirectUri = 'https://client.example/cb';

/** A server with a platform, and clients that push what they ask for. */
export const openPushWorld = async (databaseUrl: string) => {
  const world = await openAgentWorld(databaseUrl);
  const platform = await world.configure('pushers', { consent: { remember: false } });
  const clients = createKeyedClients(world);

  const verifier = randomBytes(32).toString('base64url');
  const code_challenge = createHash('sha256').update(verifier).digest('base64url');
  const asked: Fields = {
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'read',
    state: 'pushed-state',
    code_challenge,
    code_challenge_method: 'S256',
  };

  const keyed = async (change: Partial<NewClient> = {}, at: PlatformId = platform): Promise<KeyedClient & { readonly key: TestKey }> => {
    const key = makeKey('ES256');
    const extras = { jwks: { keys: [key.jwk] } as never, ...change.extras };
    return { ...(await clients.register(at, extras, { grantTypes: ['authorization_code', 'refresh_token'], ...change, extras })), key };
  };
  const publicClient = (change: Partial<NewClient> = {}): Promise<KeyedClient> =>
    clients.register(
      platform,
      {},
      { kind: 'public', authMethods: ['none'], grantTypes: ['authorization_code', 'refresh_token'], ...change },
    );

  /** Pushes as the client, `change` over what is asked for; an empty text leaves a parameter out. */
  const push = (client: KeyedClient & { readonly key?: TestKey }, change: Fields = {}, headers: Fields = {}): Promise<Answer> => {
    const proof: Fields = client.key === undefined ? { client_id: client.clientId } : shown(signed(client.key, clients.claims(client)));
    return clients.send(`/${client.platform}/oauth/par`, { ...asked, ...proof, ...change }, headers);
  };
  /** A request that was taken: where the browser goes with it. */
  const pushed = async (client: KeyedClient & { readonly key?: TestKey }, change: Fields = {}): Promise<string> => {
    const answer = await push(client, change);
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    return String(answer.body['request_uri']);
  };
  const authorizePath = (fields: Fields): string => `/oauth/authorize?${new URLSearchParams(fields)}`;

  return {
    ...world,
    platform,
    clients,
    verifier,
    redirectUri,
    asked,
    keyed,
    publicClient,
    push,
    pushed,
    authorizePath,
    /** Where the app sends the browser. */
    pathOf: (client: KeyedClient, requestUri: string, more: Fields = {}): string =>
      authorizePath({ client_id: client.clientId, request_uri: requestUri, ...more }),
  };
};

export type PushWorld = Awaited<ReturnType<typeof openPushWorld>>;
