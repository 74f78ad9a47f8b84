import {
  type ClientRecord,
  type ClientRefusal,
  type ClientState,
  deviceCodeGrant,
  jwtBearerGrant,
  tokenExchangeGrant,
} from '@grantlog/domain';
import type { UnknownToPlatform } from '@grantlog/provisioning';
import type { ListedClient } from '@grantlog/read-models';
import Type, { type Static } from 'typebox';
import { conflicting, missing, type RefusalWords, unfit } from '../json-api/refusals.ts';
import { instant, label, nullable, position } from '../json-api/schemas.ts';
import { clientExtras, extrasOf } from './client-extras.ts';

/** How a client's refusals are told, to operators and developers alike. */
export const clientWords = {
  unknown_platform: missing('No such platform'),
  unknown_client: missing('No such client'),
  client_deleted: conflicting('The client has been deleted, and its id is never given to another'),
  client_exists: conflicting('A client with this id is registered already'),
  already_approved: conflicting('The client was approved and may have grants: disable or delete it instead'),
  changed_since: conflicting('The client or what is proposed for it was changed after the position in asOf: read it again'),
  secret_missing: unfit('A confidential client needs a secret'),
  secret_not_allowed: conflicting('A public client has no secret'),
  auth_method_missing: unfit('authMethods is empty'),
  auth_method_not_allowed: unfit(
    'authMethods has to be ["none"] for a public client, and without "none" for a confidential one; a public one may add "private_key_jwt"',
  ),
  grant_type_missing: unfit('grantTypes is empty'),
  grant_type_not_allowed: unfit('client_credentials is for confidential clients'),
  redirect_uri_missing: unfit('A client with the grant type authorization_code needs a redirect URI'),
  keys_missing: unfit('A client with private_key_jwt needs its public keys: jwks, or jwksUri'),
  keys_ambiguous: unfit('Give jwks or jwksUri, not both'),
  still_in_use: conflicting('The client is in use'),
  not_described: conflicting('The client is not described by a document of its own'),
  unknown_scope: unfit('scopes names a scope that the platform does not have'),
  unknown_role: unfit('roles names a role that cannot be assigned on this platform'),
  unknown_resource: unfit('serves names a resource that the platform does not have'),
} as const satisfies Record<ClientRefusal | UnknownToPlatform | 'unknown_platform', RefusalWords>;

const nameList = (max: number) => Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: max, uniqueItems: true });
export const clientSettings = {
  name: label,
  redirectUris: Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 50 }),
  grantTypes: Type.Array(
    Type.Enum(['authorization_code', 'refresh_token', 'client_credentials', deviceCodeGrant, tokenExchangeGrant, jwtBearerGrant]),
    {
      maxItems: 6,
      uniqueItems: true,
    },
  ),
  scopes: nullable(nameList(64)),
  authMethods: Type.Array(Type.Enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']), {
    maxItems: 4,
    uniqueItems: true,
  }),
  idTokenAlg: nullable(Type.Enum(['RS256', 'ES256', 'EdDSA'])),
  serves: Type.Array(Type.String({ maxLength: 2048 }), {
    maxItems: 255,
    uniqueItems: true,
    description: 'Resources whose tokens it may introspect',
  }),
  roles: nameList(256),
  ...clientExtras,
};
/** What a developer wants changed about an approved client. */
export const proposal = Type.Object({
  changes: Type.Partial(
    Type.Object({
      name: clientSettings.name,
      redirectUris: clientSettings.redirectUris,
      grantTypes: clientSettings.grantTypes,
      scopes: clientSettings.scopes,
      authMethods: clientSettings.authMethods,
      ...clientExtras,
    }),
  ),
  position,
});
export const proposalOf = ({ proposed }: ClientRecord): Static<typeof proposal> | null => {
  if (proposed === null) return null;
  const { name, redirectUris, grantTypes, scopes, authMethods } = proposed.changes;
  return {
    changes: {
      ...(name === undefined ? {} : { name }),
      ...(redirectUris === undefined ? {} : { redirectUris: [...redirectUris] }),
      ...(grantTypes === undefined ? {} : { grantTypes: [...grantTypes] }),
      ...(scopes === undefined ? {} : { scopes: scopes === null ? null : [...scopes] }),
      ...(authMethods === undefined ? {} : { authMethods: [...authMethods] }),
      ...extrasOf(proposed.changes),
    },
    position: proposed.position,
  };
};

export const listedClient = Type.Object({
  clientId: Type.String(),
  streamId: Type.String(),
  name: Type.String(),
  owner: nullable(Type.String()),
  kind: Type.Enum(['confidential', 'public']),
  how: Type.Enum(['preset', 'portal', 'dynamic', 'metadata_document']),
  status: Type.Enum(['active', 'disabled', 'deleted']),
  approval: Type.Enum(['pending', 'approved', 'rejected']),
  hasProposal: Type.Boolean(),
  proposedName: nullable(Type.String()),
  position,
  registeredAt: instant,
});
export const listedClientOf = ({ client, firstPosition: _, registeredAt, ...listed }: ListedClient): Static<typeof listedClient> => ({
  ...listed,
  streamId: client,
  registeredAt: registeredAt.toISOString(),
});

export const clientView = Type.Object({
  clientId: Type.String(),
  streamId: Type.String(),
  kind: Type.Enum(['confidential', 'public']),
  how: Type.Enum(['preset', 'portal', 'dynamic', 'metadata_document']),
  status: Type.Enum(['active', 'disabled']),
  reason: nullable(Type.String()),
  approval: Type.Enum(['pending', 'approved', 'rejected']),
  owner: nullable(Type.String({ description: 'The account of the developer who registered it' })),
  proposal: nullable(proposal),
  rejection: nullable(Type.String({ description: 'Why the client, or the latest change that was proposed, was refused' })),
  reviewPosition: Type.Integer({ description: 'Give it as asOf to approve exactly what is shown here' }),
  ...clientSettings,
  secrets: Type.Integer({ description: 'How many secrets are good just now' }),
});

/** How many of its secrets are good at an instant. */
export const goodSecrets = (client: ClientRecord, now: number): number =>
  client.secrets.filter(({ validUntil }) => validUntil === null || now < validUntil * 1000).length;

/** A client as operators see it; without its secrets and without what its tokens are made from. */
export const clientViewOf = (streamId: string, now: number, client: Extract<ClientState, ClientRecord>): Static<typeof clientView> => ({
  clientId: client.clientId,
  streamId,
  kind: client.kind,
  how: client.how,
  status: client.status,
  reason: client.status === 'disabled' ? client.reason : null,
  approval: client.approval,
  owner: client.owner,
  proposal: proposalOf(client),
  rejection: client.rejection,
  reviewPosition: client.reviewPosition,
  name: client.name,
  redirectUris: [...client.redirectUris],
  grantTypes: [...client.grantTypes],
  scopes: client.scopes === null ? null : [...client.scopes],
  authMethods: [...client.authMethods],
  idTokenAlg: client.idTokenAlg,
  serves: [...client.serves],
  roles: [...client.roles],
  ...extrasOf(client),
  secrets: goodSecrets(client, now),
});
