import { createClientSecret, type PlainSecret, randomToken } from '@grantlog/crypto';
import type { PlatformDocument } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { By, Provisioning } from '@grantlog/provisioning';
import type { DemoPlatform } from './contract.ts';
import { ensureAccount, SeedRefused } from './ensure-account.ts';
import { ensureClient } from './ensure-client.ts';

const preset = {
  platform: 'arlo' as PlatformId,
  how: 'preset',
  authMethods: null,
  idTokenAlg: null,
  roles: [],
  approval: 'approved',
} as const;

/**
 * What Arlo's example resources need: the client as which they ask about tokens, an account that may see only what is its
 * own, and the client of developers' tools. Answers with the credentials, those of an earlier start kept.
 */
export const ensureArloApi = async (
  context: Provisioning,
  by: By,
  document: PlatformDocument | undefined,
  demo: DemoPlatform | undefined,
): Promise<DemoPlatform> => {
  const resource = document?.resources.find(({ upstream }) => upstream !== null)?.uri;
  if (demo === undefined || resource === undefined) throw new SeedRefused('the platform arlo has no resource with an upstream');
  const { email, password } = demo.presenter ?? { email: 'presenter@arlo.example', password: randomToken(12) };
  const resourceServer = demo.resourceServer ?? { client_id: 'arlo-resources', client_secret: createClientSecret() };
  const sub = await ensureAccount(context, by, {
    platform: preset.platform,
    email,
    password,
    displayName: 'Demo Presenter',
    roles: ['api_user', 'presenter'],
  });
  await ensureClient(context, by, {
    ...preset,
    clientId: resourceServer.client_id,
    name: 'Arlo Auth API',
    kind: 'confidential',
    redirectUris: [],
    // It asks and is never granted anything. Every client needs a grant type; this one without a code leads to no token.
    grantTypes: ['refresh_token'],
    scopes: [],
    serves: [resource],
    secret: resourceServer.client_secret as PlainSecret, // made by createClientSecret and kept in our own file
  });
  await ensureClient(context, by, {
    ...preset,
    clientId: 'arlo-developer',
    name: 'Developer tools',
    kind: 'public',
    redirectUris: ['http://127.0.0.1:8765/callback'],
    grantTypes: ['authorization_code', 'refresh_token'],
    scopes: ['openid', 'profile', 'developer', 'account', 'offline_access'],
    serves: [],
    secret: null,
  });
  return { ...demo, presenter: { email, password, sub }, resourceServer, resource };
};
