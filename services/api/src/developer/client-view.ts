import type { ClientRecord, ClientState } from '@grantlog/domain';
import Type, { type Static } from 'typebox';
import { nullable } from '../json-api/schemas.ts';
import { clientExtras, extrasOf } from '../management/client-extras.ts';
import { clientSettings, goodSecrets, proposal, proposalOf } from '../management/client-view.ts';

/** A client as its developer sees it: not what operators alone decide about it, and none of its secrets. */
export const ownClient = Type.Object({
  clientId: Type.String(),
  kind: Type.Enum(['confidential', 'public']),
  status: Type.Enum(['active', 'disabled']),
  reason: nullable(Type.String({ description: 'Why it was disabled' })),
  approval: Type.Enum(['pending', 'approved', 'rejected']),
  proposal: nullable(proposal),
  rejection: nullable(Type.String({ description: 'Why the client, or the latest change that you proposed, was refused' })),
  name: clientSettings.name,
  redirectUris: clientSettings.redirectUris,
  grantTypes: clientSettings.grantTypes,
  scopes: clientSettings.scopes,
  authMethods: clientSettings.authMethods,
  ...clientExtras,
  secrets: Type.Integer({ description: 'How many secrets are good just now' }),
});

export const ownClientOf = (client: Extract<ClientState, ClientRecord>, now: number): Static<typeof ownClient> => ({
  clientId: client.clientId,
  kind: client.kind,
  status: client.status,
  reason: client.status === 'disabled' ? client.reason : null,
  approval: client.approval,
  proposal: proposalOf(client),
  rejection: client.rejection,
  name: client.name,
  redirectUris: [...client.redirectUris],
  grantTypes: [...client.grantTypes],
  scopes: client.scopes === null ? null : [...client.scopes],
  authMethods: [...client.authMethods],
  ...extrasOf(client),
  secrets: goodSecrets(client, now),
});
