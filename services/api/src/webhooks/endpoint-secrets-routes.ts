import { rotateEndpointBearer, rotateEndpointSecret, setEndpointHeaders } from '@grantlog/provisioning';
import Type from 'typebox';
import type { Deps } from '../deps.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { orThrow } from '../json-api/refusals.ts';
import { changed, exactly, position } from '../json-api/schemas.ts';
import { type EndpointDoor, endpointIdOf } from './endpoint-door.ts';
import { readHeaders } from './endpoint-headers.ts';
import { bodyLimit, endpointParams, headers, overlapSeconds, shownSecret, signature, webhookToken } from './endpoint-schemas.ts';
import { endpointWords } from './endpoint-words.ts';

/** A day: receivers change what they verify with by hand. */
const usualOverlap = 86_400;

/** What an endpoint is signed for and sent with, by either door. */
export const endpointSecretsRoutes =
  (deps: Deps, door: EndpointDoor) =>
  (app: JsonApi): void => {
    const { provisioning } = deps;
    const { route, passed } = door;
    const tags = [...door.tags];
    const one = `${door.path}/:endpointId`;

    app.post(
      `${one}/secret`,
      {
        ...route,
        schema: {
          tags,
          summary: 'Give an endpoint a new signing secret, or with v1a a new key; for a while both sign',
          params: endpointParams,
          body: exactly({ overlapSeconds: Type.Optional(overlapSeconds) }),
          response: { 200: Type.Object({ signature, ...shownSecret, position }) },
        },
      },
      async (request) => {
        const { names, by, manager } = await passed(request);
        const endpoint = endpointIdOf(request.params.endpointId);
        const task = { platform: names.platform, endpoint, manager, overlapSeconds: request.body.overlapSeconds ?? usualOverlap };
        const outcome = orThrow(endpointWords, await rotateEndpointSecret(provisioning, by, task));
        return { ...outcome.shown, position: outcome.position };
      },
    );

    app.post(
      `${one}/webhook-token`,
      {
        ...route,
        schema: {
          tags,
          summary:
            'Give an endpoint another webhookToken; for a while a receiver that answers it with 401 or 403 is sent the request again with the previous one',
          params: endpointParams,
          body: exactly({ webhookToken, overlapSeconds: Type.Optional(overlapSeconds) }),
          response: { 200: changed },
        },
      },
      async (request) => {
        const { names, by, manager } = await passed(request);
        const { webhookToken: token, overlapSeconds: overlap = usualOverlap } = request.body;
        const endpoint = endpointIdOf(request.params.endpointId);
        const task = { platform: names.platform, endpoint, manager, webhookToken: token, overlapSeconds: overlap };
        return orThrow(endpointWords, await rotateEndpointBearer(provisioning, by, task));
      },
    );

    app.put(
      `${one}/headers`,
      {
        ...route,
        bodyLimit,
        schema: {
          tags,
          summary: 'Give an endpoint these headers in place of all that it has; none takes them away',
          params: endpointParams,
          body: headers,
          response: { 200: changed },
        },
      },
      async (request) => {
        const { names, by, manager } = await passed(request);
        const endpoint = endpointIdOf(request.params.endpointId);
        const task = { platform: names.platform, endpoint, manager, headers: readHeaders(request.body) };
        return orThrow(endpointWords, await setEndpointHeaders(provisioning, by, task));
      },
    );
  };
