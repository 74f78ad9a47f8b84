import { randomToken } from '@grantlog/crypto';
import type { PlatformDocument } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { By, Provisioning } from '@grantlog/provisioning';
import type { DemoPlatform } from './contract.ts';
import { ensureAccount } from './ensure-account.ts';
import { ensureClient } from './ensure-client.ts';
import { ensureResourceServer } from './ensure-resource-server.ts';

/**
 * What Arlo's example resources need: the client as which they ask about tokens, an account that may see only what is its
 * own, and the client of developers' tools. Answers with the credentials, those of an earlier start kept.
 */
export const ensureArloApi = async (
  context: Provisioning,
  by: By,
  { document, demo }: { readonly document: PlatformDocument; readonly demo: DemoPlatform },
): Promise<DemoPlatform> => {
  const platform = document.name as PlatformId;
  const { email, password } = demo.presenter ?? { email: 'presenter@arlo.example', password: randomToken(12) };
  const sub = await ensureAccount(context, by, {
    platform,
    email,
    password,
    displayName: 'Demo Presenter',
    roles: ['api_user', 'presenter'],
  });
  const server = await ensureResourceServer(context, by, document, { name: 'Arlo Auth API', kept: demo.resourceServer });
  await ensureClient(context, by, {
    platform,
    how: 'preset',
    authMethods: null,
    idTokenAlg: null,
    roles: [],
    approval: 'approved',
    clientId: 'arlo-developer',
    name: 'Developer tools',
    kind: 'public',
    redirectUris: ['http://127.0.0.1:8765/callback'],
    grantTypes: ['authorization_code', 'refresh_token'],
    scopes: ['openid', 'profile', 'developer', 'account', 'offline_access'],
    serves: [],
    secret: null,
  });
  return { ...demo, presenter: { email, password, sub }, ...server };
};
