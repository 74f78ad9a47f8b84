import { readEndpointHealth } from '@grantlog/postgres';
import { changeEndpoint, type EndpointChange } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { Deps } from '../deps.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { orThrow } from '../json-api/refusals.ts';
import { type Changed, changed, exactly, noBody, position } from '../json-api/schemas.ts';
import { admitMessage } from './admit-message.ts';
import { type EndpointDoor, endpointIdOf, loadEndpoint } from './endpoint-door.ts';
import { endpointHealthView, viewOfHealth } from './endpoint-health-view.ts';
import { endpointParams, endpointSettings, endpointView, viewOf } from './endpoint-schemas.ts';
import { endpointWords, refuseUnknownTypes } from './endpoint-words.ts';

const fullView = Type.Object({ ...endpointView.properties, health: endpointHealthView });

/** What is done with an endpoint that is there, by either door. */
export const endpointRoutes =
  (deps: Deps, door: EndpointDoor) =>
  (app: JsonApi): void => {
    const { route, passed } = door;
    const tags = [...door.tags];
    const one = `${door.path}/:endpointId`;
    const apply = async (request: FastifyRequest, text: string, command: EndpointChange): Promise<Changed> => {
      const passage = await passed(request);
      const { platform } = passage.names;
      const endpoint = endpointIdOf(text);
      if (command.type === 'test' || command.type === 'enable') {
        const { id } = await loadEndpoint(deps, passage, text);
        await admitMessage(deps, { platform, endpoint: id });
      }
      if (command.type === 'update' && command.changes.url !== undefined) {
        await loadEndpoint(deps, passage, text);
        await passage.admitUrl(command.changes.url);
      }
      const { isDevelopment } = deps.config;
      const task = { platform, endpoint, manager: passage.manager, command, isDevelopment };
      const outcome = await changeEndpoint(deps.provisioning, passage.by, task);
      if (command.type === 'update') refuseUnknownTypes(outcome, { platform, types: command.changes.types });
      return orThrow(endpointWords, outcome);
    };

    app.get(
      one,
      {
        ...route,
        schema: { tags, summary: 'Read a webhook endpoint and how it answers', params: endpointParams, response: { 200: fullView } },
      },
      async (request) => {
        const passage = await passed(request);
        const { id, state } = await loadEndpoint(deps, passage, request.params.endpointId);
        const health = await readEndpointHealth(deps.provisioning.pool, { platform: passage.names.platform, endpoint: id });
        return { ...viewOf(id, state), health: viewOfHealth(health) };
      },
    );

    app.patch(
      one,
      {
        ...route,
        schema: {
          tags,
          summary:
            'Change a webhook endpoint; another URL is another receiver: unverified, and sent neither the webhookToken nor the headers of the one before',
          params: endpointParams,
          body: Type.Partial(exactly(endpointSettings), { additionalProperties: false }),
          response: { 200: changed },
        },
      },
      (request) => apply(request, request.params.endpointId, { type: 'update', changes: request.body }),
    );

    app.delete(
      one,
      { ...route, schema: { tags, summary: 'Delete a webhook endpoint', params: endpointParams, response: { 200: changed } } },
      (request) => apply(request, request.params.endpointId, { type: 'delete' }),
    );

    app.post(
      `${one}/test`,
      {
        ...route,
        schema: {
          tags,
          summary: 'Send webhook_endpoint.test, also to what is not verified; a 2xx verifies it. Ten a minute',
          params: endpointParams,
          body: noBody,
          response: { 202: Type.Object({ position }) },
        },
      },
      async (request, reply) => {
        const tested = await apply(request, request.params.endpointId, { type: 'test' });
        return reply.code(202).send({ position: tested.position });
      },
    );

    for (const [type, summary] of [
      ['enable', 'Enable a disabled endpoint'],
      ['disable', 'Stop speaking to an endpoint until it is enabled'],
    ] as const) {
      app.post(
        `${one}/${type}`,
        { ...route, schema: { tags, summary, params: endpointParams, body: noBody, response: { 200: changed } } },
        (request) => apply(request, request.params.endpointId, { type }),
      );
    }
  };
