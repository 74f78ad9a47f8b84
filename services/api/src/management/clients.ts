import type { PlatformDocument } from '@grantlog/domain';
import { extraDefaults, platformStream, standingKinds } from '@grantlog/domain';
import { longestClientId } from '@grantlog/protocol';
import type { ClientChange, PlatformNames } from '@grantlog/provisioning';
import { changeClient, registerClient, rotateClientSecret } from '@grantlog/provisioning';
import { listClients } from '@grantlog/read-models';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { orThrow, refusalProblem } from '../json-api/refusals.ts';
import {
  type Changed,
  changed,
  exactly,
  noBody,
  nullable,
  overlapSeconds,
  platformParams,
  position,
  reasonBody,
} from '../json-api/schemas.ts';
import { foldClient, foldPlatform } from '../platforms/load-parties.ts';
import { checkClientExtras } from './check-client-extras.ts';
import { clientExtras } from './client-extras.ts';
import { clientSettings, clientView, clientViewOf, clientWords, listedClient, listedClientOf } from './client-view.ts';
import { noSuchPlatform } from './gate.ts';
import type { ManagementDeps } from './management-deps.ts';
import { checkRedirectUris } from './redirect-uris.ts';
import { standingIdOf } from './standing-id.ts';

const tags = ['Clients'];
const clientParams = Type.Object({ platform: Type.String(), clientId: Type.String({ maxLength: longestClientId }) });

const newClient = exactly({
  clientId: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._~-]{1,128}$', description: 'Made at random where it is left out' })),
  kind: Type.Enum(['confidential', 'public']),
  name: clientSettings.name,
  redirectUris: Type.Optional(clientSettings.redirectUris),
  grantTypes: Type.Optional(clientSettings.grantTypes),
  scopes: Type.Optional(clientSettings.scopes),
  authMethods: Type.Optional(clientSettings.authMethods),
  idTokenAlg: Type.Optional(clientSettings.idTokenAlg),
  serves: Type.Optional(clientSettings.serves),
  roles: Type.Optional(clientSettings.roles),
  approval: Type.Optional(Type.Enum(['pending', 'approved'])),
  ...Type.Partial(Type.Object(clientExtras)).properties,
});
const changes = Type.Partial(exactly(clientSettings), { additionalProperties: false });

/** Why a client or a change of it is refused: fixed phrases, which its developer is told. */
const rejection = exactly({
  reason: Type.Optional(
    Type.Enum(['unspecified', 'requested', 'abuse', 'misleading_name', 'unverified_developer', 'redirect_uris', 'scopes', 'incomplete']),
  ),
});
const secret = Type.String({ description: 'Shown once, here' });

/** Clients of one platform. */
export const clientRoutes =
  (deps: ManagementDeps) =>
  (app: JsonApi): void => {
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
      if (state.status === 'none') throw refusalProblem(clientWords, 'unknown_client');
      if (state.status === 'deleted') throw refusalProblem(clientWords, 'client_deleted');
      return { ...opened, state };
    };
    const apply = async (request: FastifyRequest, clientId: string, command: ClientChange): Promise<Changed> => {
      const { names: at, by } = await gate.platform(request);
      return orThrow(clientWords, await changeClient(provisioning, by, { platform: at.platform, clientId, command }));
    };
    const grantTypesOf = (document: PlatformDocument) => document.grantTypes.filter((type) => type !== 'client_credentials');

    app.get(
      '/:platform/manage/clients',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'List clients, newest first; deleted ones only by status',
          params: platformParams,
          querystring: exactly({
            owner: Type.Optional(Type.String({ minLength: 1, maxLength: 36 })),
            approval: Type.Optional(Type.Enum(['pending', 'approved', 'rejected'])),
            status: Type.Optional(Type.Enum(['active', 'disabled', 'deleted'])),
            waiting: Type.Optional(Type.Boolean({ description: 'Only what waits for an operator: clients and changes of clients' })),
            before: Type.Optional(Type.Integer({ minimum: 1, description: 'next of the page before' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
            minPosition: Type.Optional(position),
          }),
          response: {
            200: Type.Object({
              clients: Type.Array(listedClient),
              next: nullable(Type.Integer()),
              current: Type.Boolean({ description: 'False where the list had not reached minPosition within half a second' }),
            }),
          },
        },
      },
      async (request) => {
        const { names: at } = await gate.platform(request);
        const { owner, ...query } = request.query;
        const account = owner === undefined ? null : standingIdOf(standingKinds.account, owner);
        if (owner !== undefined && account === null) return { clients: [], next: null, current: true };
        const page = await listClients(deps.pool, { platform: at.platform, ...query, ...(account === null ? {} : { owner: account }) });
        return {
          next: page.next,
          current: page.current,
          clients: page.clients.map(listedClientOf),
        };
      },
    );

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
        const extras = checkClientExtras(body, { egress: deps.egress, about: extraDefaults.about });
        const outcome = orThrow(
          clientWords,
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
            extras,
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
        return clientViewOf(streamId, now, state);
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
        const { about: _, ...sent } = request.body;
        const extras = checkClientExtras(request.body, { egress: deps.egress, about: state.about });
        return apply(request, clientId, { type: 'update', changes: { ...sent, ...extras } });
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
        return orThrow(clientWords, await rotateClientSecret(provisioning, by, task));
      },
    );

    app.post(
      '/:platform/manage/clients/:clientId/approve',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Approve a client that waits for it, or the change that is proposed for one',
          params: clientParams,
          body: exactly({
            asOf: Type.Integer({
              minimum: 1,
              description: 'reviewPosition of the client as it was read: what its developer changed after it is not approved',
            }),
          }),
          response: { 200: changed },
        },
      },
      (request) => apply(request, request.params.clientId, { type: 'approve', asOf: request.body.asOf }),
    );
    app.post(
      '/:platform/manage/clients/:clientId/reject',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Refuse a client that waits for approval, or the change that is proposed for an approved one',
          params: clientParams,
          body: rejection,
          response: { 200: changed },
        },
      },
      (request) => apply(request, request.params.clientId, { type: 'reject', reason: request.body.reason ?? 'unspecified' }),
    );
    app.post(
      '/:platform/manage/clients/:clientId/enable',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Enable a disabled client; what it was granted works again',
          params: clientParams,
          body: noBody,
          response: { 200: changed },
        },
      },
      (request) => apply(request, request.params.clientId, { type: 'enable' }),
    );
    for (const [verb, summary, type] of [
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
