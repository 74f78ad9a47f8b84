import { extraDefaults } from '@grantlog/domain';
import { changeClient, registerClient, rotateClientSecret } from '@grantlog/provisioning';
import { listClients } from '@grantlog/read-models';
import Type from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { orThrow, refusalProblem } from '../json-api/refusals.ts';
import { changed, exactly, instant, nullable, overlapSeconds, platformParams, position } from '../json-api/schemas.ts';
import { checkClientExtras } from '../management/check-client-extras.ts';
import { clientExtras } from '../management/client-extras.ts';
import { clientSettings, clientWords } from '../management/client-view.ts';
import { checkRedirectUris } from '../management/redirect-uris.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { ownClient, ownClientOf } from './client-view.ts';
import type { DeveloperDeps } from './developer-deps.ts';
import { openOwnClient } from './own-client.ts';
import { approvalAtRegistration, checkClientLimits, checkGrantTypes, usualGrantTypes, usualScopes } from './registration-rules.ts';

const tags = ['Developers'];
const clientParams = Type.Object({ platform: Type.String(), clientId: Type.String({ maxLength: 255 }) });
const scopes = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 64, uniqueItems: true });
const newClient = exactly({
  name: clientSettings.name,
  kind: Type.Enum(['confidential', 'public']),
  redirectUris: clientSettings.redirectUris,
  scopes: Type.Optional(scopes),
  grantTypes: Type.Optional(clientSettings.grantTypes),
  authMethods: Type.Optional(clientSettings.authMethods),
  ...Type.Partial(Type.Object(clientExtras)).properties,
});
const changes = Type.Partial(
  exactly({
    name: clientSettings.name,
    redirectUris: clientSettings.redirectUris,
    scopes,
    grantTypes: clientSettings.grantTypes,
    authMethods: clientSettings.authMethods,
    ...clientExtras,
  }),
  { additionalProperties: false },
);
const clientSecret = Type.String({ description: 'Shown once, here' });
const listed = Type.Object({
  clientId: Type.String(),
  name: Type.String(),
  kind: Type.Enum(['confidential', 'public']),
  status: Type.Enum(['active', 'disabled', 'deleted']),
  approval: Type.Enum(['pending', 'approved', 'rejected']),
  hasProposal: Type.Boolean({ description: 'Whether a change of it waits for an operator' }),
  position,
  registeredAt: instant,
});

/** Clients of one developer. */
export const developerClientRoutes =
  (deps: DeveloperDeps) =>
  (app: JsonApi): void => {
    const { gate, provisioning } = deps;

    app.post(
      '/:platform/developer/clients',
      {
        ...gate.route,
        schema: {
          tags,
          summary: 'Register a client of yours; its secret is shown once, and it works as soon as it is approved',
          params: platformParams,
          body: newClient,
          response: {
            201: Type.Object({
              clientId: Type.String(),
              clientSecret: nullable(clientSecret),
              approval: Type.Enum(['pending', 'approved']),
              position,
            }),
          },
        },
      },
      async (request, reply) => {
        const { names, account, by } = gate.passed(request);
        const { platform } = names;
        const { body } = request;
        const state = foldPlatform(await deps.log.load(platform, platformStreams));
        if (state.status === 'none') throw refusalProblem(clientWords, 'unknown_platform');
        const { document } = state;
        const approval = approvalAtRegistration(document);
        checkRedirectUris(body.redirectUris, { kind: body.kind, document });
        const extras = checkClientExtras(body, { egress: deps.egress, about: extraDefaults.about });
        const grantTypes = body.grantTypes ?? usualGrantTypes(document);
        checkGrantTypes(grantTypes, document);
        await checkClientLimits(deps.pool, { platform, account });
        const registered = await registerClient(provisioning, by, {
          platform,
          clientId: null,
          kind: body.kind,
          how: 'portal',
          owner: account,
          name: body.name,
          redirectUris: body.redirectUris,
          grantTypes,
          scopes: body.scopes ?? usualScopes(document, issuerOf(document, deps.config.publicUrl)),
          authMethods: body.authMethods ?? null,
          idTokenAlg: null,
          // What a client serves and which roles it has are an operator's to say.
          serves: [],
          roles: [],
          approval,
          secret: null,
          extras,
        });
        const { clientId, secret, position: at } = orThrow(clientWords, registered);
        return reply
          .code(201)
          .header('location', `/${platform}/developer/clients/${clientId}`)
          .send({ clientId, clientSecret: secret, approval, position: at });
      },
    );

    app.get(
      '/:platform/developer/clients',
      {
        ...gate.route,
        schema: {
          tags,
          summary: 'List your clients, newest first',
          params: platformParams,
          querystring: exactly({
            before: Type.Optional(Type.Integer({ minimum: 1, description: 'next of the page before' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
            minPosition: Type.Optional(position),
          }),
          response: {
            200: Type.Object({
              clients: Type.Array(listed),
              next: nullable(Type.Integer()),
              current: Type.Boolean({ description: 'False where the list had not reached minPosition within half a second' }),
            }),
          },
        },
      },
      async (request) => {
        const { names, account } = gate.passed(request);
        const page = await listClients(deps.pool, { ...request.query, platform: names.platform, owner: account });
        return {
          next: page.next,
          current: page.current,
          clients: page.clients.map(({ clientId, name, kind, status, approval, hasProposal, position: at, registeredAt }) => ({
            clientId,
            name,
            kind,
            status,
            approval,
            hasProposal,
            position: at,
            registeredAt: registeredAt.toISOString(),
          })),
        };
      },
    );

    app.get(
      '/:platform/developer/clients/:clientId',
      { ...gate.route, schema: { tags, summary: 'Read a client of yours', params: clientParams, response: { 200: ownClient } } },
      async (request) => {
        const { state, now } = await openOwnClient(deps, gate.passed(request), request.params.clientId);
        return ownClientOf(state, now);
      },
    );

    app.patch(
      '/:platform/developer/clients/:clientId',
      {
        ...gate.route,
        schema: {
          tags,
          summary: 'Change a client of yours; what widens an approved one waits for an operator, and until then it works as before',
          params: clientParams,
          body: changes,
          response: { 200: Type.Object({ ...changed.properties, client: ownClient }) },
        },
      },
      async (request) => {
        const developer = gate.passed(request);
        const { clientId } = request.params;
        const { body } = request;
        const { state, document } = await openOwnClient(deps, developer, clientId);
        if (body.redirectUris !== undefined) checkRedirectUris(body.redirectUris, { kind: state.kind, document });
        if (body.grantTypes !== undefined) checkGrantTypes(body.grantTypes, document);
        const { about: _, ...sent } = body;
        const extras = checkClientExtras(body, { egress: deps.egress, about: state.about });
        const task = { platform: developer.names.platform, clientId, owner: developer.account };
        const outcome = orThrow(
          clientWords,
          await changeClient(provisioning, developer.by, { ...task, command: { type: 'propose', changes: { ...sent, ...extras } } }),
        );
        const after = await openOwnClient(deps, developer, clientId);
        return { ...outcome, client: ownClientOf(after.state, after.now) };
      },
    );

    app.delete(
      '/:platform/developer/clients/:clientId',
      {
        ...gate.route,
        schema: { tags, summary: 'Delete a client of yours; its grants end with it', params: clientParams, response: { 200: changed } },
      },
      async (request) => {
        const { names, account, by } = gate.passed(request);
        const task = { platform: names.platform, clientId: request.params.clientId, owner: account };
        return orThrow(clientWords, await changeClient(provisioning, by, { ...task, command: { type: 'delete' } }));
      },
    );

    app.post(
      '/:platform/developer/clients/:clientId/rotate-secret',
      {
        ...gate.route,
        schema: {
          tags,
          summary: 'Give a client of yours a new secret, which is shown once',
          params: clientParams,
          body: exactly({ overlapSeconds: Type.Optional(overlapSeconds) }),
          response: { 200: Type.Object({ clientSecret, position }) },
        },
      },
      async (request) => {
        const { names, account, by } = gate.passed(request);
        const { clientId } = request.params;
        const task = { platform: names.platform, clientId, overlapSeconds: request.body.overlapSeconds ?? 0, secret: null, owner: account };
        const rotated = orThrow(clientWords, await rotateClientSecret(provisioning, by, task));
        return { clientSecret: rotated.secret, position: rotated.position };
      },
    );
  };
