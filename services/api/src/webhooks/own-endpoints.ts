import { listOwnEndpoints } from '@grantlog/provisioning';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { Deps } from '../deps.ts';
import { type JsonApi, registerJsonApi } from '../json-api/json-api.ts';
import { platformParams } from '../json-api/schemas.ts';
import { agentDoor } from './agent-door.ts';
import { type EndpointDoor, loadEndpoints } from './endpoint-door.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { bodyLimit, endpointView, newOwnEndpoint, registeredEndpoint, viewOf } from './endpoint-schemas.ts';
import { endpointSecretsRoutes } from './endpoint-secrets-routes.ts';
import { registerFor } from './register-for.ts';

const collection =
  (deps: Deps, door: EndpointDoor) =>
  (app: JsonApi): void => {
    const { path, route } = door;
    const tags = [...door.tags];

    app.post(
      path,
      {
        ...route,
        bodyLimit,
        schema: {
          tags,
          summary:
            "Register a webhook endpoint: a client's own token for the client or some of its grants, the token of a person for that grant alone",
          params: platformParams,
          body: newOwnEndpoint,
          response: { 201: registeredEndpoint },
        },
      },
      async (request, reply) => {
        const passage = await door.passed(request);
        const registered = await registerFor(deps, passage, request.body);
        const location = `/${passage.names.platform}/webhooks/endpoints/${registered.endpointId}`;
        return reply.code(201).header('location', location).send(registered);
      },
    );

    app.get(
      path,
      {
        ...route,
        schema: {
          tags,
          summary: 'The webhook endpoints that were registered with tokens of this client, or of this grant; all of them',
          params: platformParams,
          response: { 200: Type.Object({ endpoints: Type.Array(endpointView) }) },
        },
      },
      async (request) => {
        const passage = await door.passed(request);
        const found = await loadEndpoints(deps, passage, await listOwnEndpoints(deps, passage));
        return {
          endpoints: found.flatMap(({ id, state }) =>
            state.status === 'active' || state.status === 'disabled' ? [viewOf(id, state)] : [],
          ),
        };
      },
    );
  };

/** Webhook endpoints as agents manage their own. */
export const ownEndpoints =
  (deps: Deps) =>
  (app: FastifyInstance): Promise<void> => {
    const door = agentDoor(deps);
    return registerJsonApi(app, collection(deps, door), endpointRoutes(deps, door), endpointSecretsRoutes(deps, door));
  };
