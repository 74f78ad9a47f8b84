import type { EndpointManager } from '@grantlog/provisioning';
import { listEndpoints } from '@grantlog/provisioning';
import Type from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { exactly, nullable, platformParams } from '../json-api/schemas.ts';
import { type EndpointDoor, endpointIdOf, loadEndpoints } from '../webhooks/endpoint-door.ts';
import { endpointRoutes } from '../webhooks/endpoint-routes.ts';
import { bodyLimit, endpointView, newEndpoint, registeredEndpoint, viewOf } from '../webhooks/endpoint-schemas.ts';
import { endpointSecretsRoutes } from '../webhooks/endpoint-secrets-routes.ts';
import { registerFor } from '../webhooks/register-for.ts';
import type { ManagementDeps } from './management-deps.ts';

const manager: EndpointManager = { kind: 'operator' };
const admitUrl = (): Promise<void> => Promise.resolve();

/** Webhook endpoints of one platform, whoever registered them. */
export const webhookEndpointRoutes =
  (deps: ManagementDeps) =>
  (app: JsonApi): void => {
    const { gate } = deps;
    const path = '/:platform/manage/webhook-endpoints';
    const tags = ['Webhook endpoints'];
    const door: EndpointDoor = {
      path,
      tags,
      route: gate.ofPlatform,
      passed: async (request) => ({ ...(await gate.platform(request)), manager, admitUrl }),
    };

    app.post(
      path,
      {
        ...door.route,
        bodyLimit,
        schema: {
          tags,
          summary: 'Register a webhook endpoint; what its receiver verifies with is shown once',
          params: platformParams,
          body: newEndpoint,
          response: { 201: registeredEndpoint },
        },
      },
      async (request, reply) => {
        const passage = await door.passed(request);
        const registered = await registerFor(deps, passage, request.body);
        const location = `/${passage.names.platform}/manage/webhook-endpoints/${registered.endpointId}`;
        return reply.code(201).header('location', location).send(registered);
      },
    );

    app.get(
      path,
      {
        ...door.route,
        schema: {
          tags,
          summary: 'List webhook endpoints, in the order of their ids',
          params: platformParams,
          querystring: exactly({
            after: Type.Optional(Type.String({ description: 'next of the page before' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
          }),
          response: { 200: Type.Object({ endpoints: Type.Array(endpointView), next: nullable(Type.String()) }) },
        },
      },
      async (request) => {
        const passage = await door.passed(request);
        const { after, limit = 50 } = request.query;
        const query = { platform: passage.names.platform, after: after === undefined ? null : endpointIdOf(after), limit };
        const ids = await listEndpoints(deps.pool, query);
        const found = await loadEndpoints(deps, passage, ids);
        return {
          // Deleted ones are left out, so a page may be shorter than asked for and not be the last.
          endpoints: found.flatMap(({ id, state }) =>
            state.status === 'active' || state.status === 'disabled' ? [viewOf(id, state)] : [],
          ),
          next: ids.length < limit ? null : (ids.at(-1) ?? null),
        };
      },
    );

    endpointRoutes(deps, door)(app);
    endpointSecretsRoutes(deps, door)(app);
  };
