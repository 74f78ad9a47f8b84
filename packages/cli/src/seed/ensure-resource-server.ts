import { createClientSecret, type PlainSecret } from '@grantlog/crypto';
import type { PlatformDocument } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { By, Provisioning } from '@grantlog/provisioning';
import type { DemoPlatform } from './contract.ts';
import { SeedRefused } from './ensure-account.ts';
import { ensureClient } from './ensure-client.ts';

/** The client as which a platform's example resources ask about tokens; its credentials of an earlier start are kept. */
export const ensureResourceServer = async (
  context: Provisioning,
  by: By,
  document: PlatformDocument,
  server: { readonly name: string; readonly kept: DemoPlatform['resourceServer'] },
): Promise<Required<Pick<DemoPlatform, 'resourceServer' | 'resource'>>> => {
  const resource = document.resources.find(({ upstream }) => upstream !== null)?.uri;
  if (resource === undefined) throw new SeedRefused(`the platform ${document.name} has no resource with an upstream`);
  const resourceServer = server.kept ?? { client_id: `${document.name}-resources`, client_secret: createClientSecret() };
  await ensureClient(context, by, {
    platform: document.name as PlatformId,
    how: 'preset',
    authMethods: null,
    idTokenAlg: null,
    roles: [],
    approval: 'approved',
    clientId: resourceServer.client_id,
    name: server.name,
    kind: 'confidential',
    redirectUris: [],
    // It asks and is never granted anything. Every client needs a grant type; this one without a code leads to no token.
    grantTypes: ['refresh_token'],
    scopes: [],
    serves: [resource],
    secret: resourceServer.client_secret as PlainSecret, // made by createClientSecret and kept in our own file
  });
  return { resourceServer, resource };
};
