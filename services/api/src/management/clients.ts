import type { ClientRecord, ClientRefusal, ClientState, PlatformDocument } from '@grantlog/domain';
import { platformStream } from '@grantlog/domain';
import type { ClientChange, PlatformNames, UnknownToPlatform } from '@grantlog/provisioning';
import { changeClient, registerClient, rotateClientSecret } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { foldClient, foldPlatform } from '../platforms/load-parties.ts';
import { noSuchPlatform } from './gate.ts';
import type { ManagementApp, ManagementDeps } from './management-app.ts';
import { checkRedirectUris } from './redirect-uris.ts';
import { conflicting, missing, orThrow, type RefusalWords, refusalProblem, unfit } from './refusals.ts';
import {
  type Changed,
  changed,
  exactly,
  label,
  noBody,
  nullable,
  overlapSeconds,
  platformParams,
  position,
  reasonBody,
} from './schemas.ts';

const words = {
  unknown_platform: missing('No such platform'),
  unknown_client: missing('No such client'),
  client_deleted: conflicting('The client has been deleted, and its id is never given to another'),
  client_exists: conflicting('A client with this id is registered already'),
  already_approved: conflicting('The client was approved and may have grants: disable or delete it instead'),
  secret_missing: unfit('A confidential client needs a secret'),
  secret_not_allowed: conflicting('A public client has no secret'),
  auth_method_missing: unfit('authMethods is empty'),
  auth_method_not_allowed: unfit('authMethods has to be ["none"] for a public client, and without "none" for a confidential one'),
  grant_type_missing: unfit('grantTypes is empty'),
  grant_type_not_allowed: unfit('client_credentials is for confidential clients'),
  redirect_uri_missing: unfit('A client with the grant type authorization_code needs a redirect URI'),
  unknown_scope: unfit('scopes names a scope that the platform does not have'),
  unknown_role: unfit('roles names a role that cannot be assigned on this platform'),
  unknown_resource: unfit('serves names a resource that the platform does not have'),
} as const satisfies Record<ClientRefusal | UnknownToPlatform | 'unknown_platform', RefusalWords>;

const tags = ['Clients'];
const clientParams = Type.Object({ platform: Type.String(), clientId: Type.String({ maxLength: 255 }) });

const nameList = (max: number) => Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: max, uniqueItems: true });
const settings = {
  name: label,
  redirectUris: Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 50 }),
  grantTypes: Type.Array(Type.Enum(['authorization_code', 'refresh_token', 'client_credentials']), { maxItems: 3, uniqueItems: true }),
  scopes: nullable(nameList(64)),
  authMethods: Type.Array(Type.Enum(['client_secret_basic', 'client_secret_post', 'none']), { maxItems: 3, uniqueItems: true }),
  idTokenAlg: nullable(Type.Enum(['RS256', 'ES256', 'EdDSA'])),
  serves: Type.Array(Type.String({ maxLength: 2048 }), {
    maxItems: 255,
    uniqueItems: true,
    description: 'Resources whose tokens it may introspect',
  }),
  roles: nameList(256),
};
const newClient = exactly({
  clientId: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._~-]{1,128}$', description: 'Made at random where it is left out' })),
  kind: Type.Enum(['confidential', 'public']),
  name: settings.name,
  redirectUris: Type.Optional(settings.redirectUris),
  grantTypes: Type.Optional(settings.grantTypes),
  scopes: Type.Optional(settings.scopes),
  authMethods: Type.Optional(settings.authMethods),
  idTokenAlg: Type.Optional(settings.idTokenAlg),
  serves: Type.Optional(settings.serves),
  roles: Type.Optional(settings.roles),
  approval: Type.Optional(Type.Enum(['pending', 'approved'])),
});
const changes = Type.Partial(exactly(settings), { additionalProperties: false });
const secret = Type.String({ description: 'Shown once, here' });
const clientView = Type.Object({
  clientId: Type.String(),
  streamId: Type.String(),
  kind: Type.Enum(['confidential', 'public']),
  how: Type.Enum(['preset', 'portal', 'dynamic', 'metadata_document']),
  status: Type.Enum(['active', 'disabled']),
  reason: nullable(Type.String()),
  approval: Type.Enum(['pending', 'approved', 'rejected']),
  ...settings,
  secrets: Type.Integer({ description: 'How many secrets are good just now' }),
});

const viewOf = (streamId: string, now: number, client: Extract<ClientState, ClientRecord>): Static<typeof clientView> => ({
  clientId: client.clientId,
  streamId,
  kind: client.kind,
  how: client.how,
  status: client.status,
  reason: client.status === 'disabled' ? client.reason : null,
  approval: client.approval,
  name: client.name,
  redirectUris: [...client.redirectUris],
  grantTypes: [...client.grantTypes],
  scopes: client.scopes === null ? null : [...client.scopes],
  authMethods: [...client.authMethods],
  idTokenAlg: client.idTokenAlg,
  serves: [...client.serves],
  roles: [...client.roles],
  secrets: client.secrets.filter(({ validUntil }) => validUntil === null || now < validUntil * 1000).length,
});

/** Clients of one platform. */
export const clientRoutes =
  (deps: ManagementDeps) =>
  (app: ManagementApp): void => {
    const { gate, provisioning } = deps;
    const open = async (platform: PlatformNames, clientId: string) => {
      const streamId = platform.client(clientId);
      const loaded = await deps.log.load(platform.platform, [{ streamId: platformStream }, { streamId }]);
      const owner = foldPlatform(loaded);
      if (owner.status === 'none') throw noSuchPlatform();
      return { streamId, state: foldClient(loaded, streamId), document: owner.document, now: loaded.now };
    };
    const living = async (platform: PlatformNames, clientId: string) => {
      const opened = await open(platform, clientId);
      const { state } = opened;
      if (state.status === 'none') throw refusalProblem(words, 'unknown_client');
      if (state.status === 'deleted') throw refusalProblem(words, 'client_deleted');
      return { ...opened, state };
    };
    const apply = async (request: FastifyRequest, clientId: string, command: ClientChange): Promise<Changed> => {
      const { names: at, by } = await gate.platform(request);
      return orThrow(words, await changeClient(provisioning, by, { platform: at.platform, clientId, command }));
    };
    const grantTypesOf = (document: PlatformDocument) => document.grantTypes.filter((type) => type !== 'client_credentials');

    app.post(
      '/:platform/manage/clients',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Register a client; its secret is shown once',
          params: platformParams,
          body: newClient,
          response: { 201: Type.Object({ clientId: Type.String(), streamId: Type.String(), secret: nullable(secret), position }) },
        },
      },
      async (request, reply) => {
        const { names: at, by } = await gate.platform(request);
        const { body } = request;
        const { document } = await open(at, body.clientId ?? '');
        const redirectUris = body.redirectUris ?? [];
        checkRedirectUris(redirectUris, { kind: body.kind, document });
        const outcome = orThrow(
          words,
          await registerClient(provisioning, by, {
            platform: at.platform,
            clientId: body.clientId ?? null,
            kind: body.kind,
            how: 'portal',
            name: body.name,
            redirectUris,
            grantTypes: body.grantTypes ?? grantTypesOf(document),
            scopes: body.scopes ?? null,
            authMethods: body.authMethods ?? null,
            idTokenAlg: body.idTokenAlg ?? null,
            serves: body.serves ?? [],
            roles: body.roles ?? [],
            approval: body.approval ?? 'approved',
            secret: null,
          }),
        );
        return reply
          .code(201)
          .header('location', `/${at.platform}/manage/clients/${encodeURIComponent(outcome.clientId)}`)
          .send({ clientId: outcome.clientId, streamId: outcome.stream, secret: outcome.secret, position: outcome.position });
      },
    );

    app.get(
      '/:platform/manage/clients/:clientId',
      { ...gate.ofPlatform, schema: { tags, summary: 'Read a client', params: clientParams, response: { 200: clientView } } },
      async (request) => {
        const { names: at } = await gate.platform(request);
        const { streamId, state, now } = await living(at, request.params.clientId);
        return viewOf(streamId, now, state);
      },
    );

    app.patch(
      '/:platform/manage/clients/:clientId',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Change what a client is registered with',
          params: clientParams,
          body: changes,
          response: { 200: changed },
        },
      },
      async (request) => {
        const { names: at } = await gate.platform(request);
        const { clientId } = request.params;
        const { state, document } = await living(at, clientId);
        if (request.body.redirectUris !== undefined) checkRedirectUris(request.body.redirectUris, { kind: state.kind, document });
        return apply(request, clientId, { type: 'update', changes: request.body });
      },
    );

    app.delete(
      '/:platform/manage/clients/:clientId',
      {
        ...gate.ofPlatform,
        schema: { tags, summary: 'Delete a client; its grants end with it', params: clientParams, response: { 200: changed } },
      },
      (request) => apply(request, request.params.clientId, { type: 'delete' }),
    );

    app.post(
      '/:platform/manage/clients/:clientId/secret',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Give a client a new secret, which is shown once',
          params: clientParams,
          body: exactly({ overlapSeconds: Type.Optional(overlapSeconds) }),
          response: { 200: Type.Object({ secret, position }) },
        },
      },
      async (request) => {
        const { names: at, by } = await gate.platform(request);
        const { clientId } = request.params;
        const task = { platform: at.platform, clientId, overlapSeconds: request.body.overlapSeconds ?? 0, secret: null };
        return orThrow(words, await rotateClientSecret(provisioning, by, task));
      },
    );

    for (const [verb, summary, command] of [
      ['approve', 'Approve a client that waits for it', { type: 'approve' }],
      ['enable', 'Enable a disabled client; what it was granted works again', { type: 'enable' }],
    ] as const) {
      app.post(
        `/:platform/manage/clients/:clientId/${verb}`,
        { ...gate.ofPlatform, schema: { tags, summary, params: clientParams, body: noBody, response: { 200: changed } } },
        (request) => apply(request, request.params.clientId, command),
      );
    }
    for (const [verb, summary, type] of [
      ['reject', 'Refuse a client that waits for approval', 'reject'],
      ['disable', 'Disable a client until it is enabled', 'disable'],
      ['revoke-grants', 'End every grant of a client, for good', 'revokeGrants'],
    ] as const) {
      app.post(
        `/:platform/manage/clients/:clientId/${verb}`,
        { ...gate.ofPlatform, schema: { tags, summary, params: clientParams, body: reasonBody, response: { 200: changed } } },
        (request) => apply(request, request.params.clientId, { type, reason: request.body.reason ?? 'unspecified' }),
      );
    }
  };
