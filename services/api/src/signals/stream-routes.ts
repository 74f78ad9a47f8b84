import { type EndpointSettings, typesOfSignals } from '@grantlog/domain';
import { changeEndpoint, pollMethod, pushMethod, registerStream, rotateEndpointBearer } from '@grantlog/provisioning';
import Type from 'typebox';
import type { Deps } from '../deps.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { orThrow, refusalProblem } from '../json-api/refusals.ts';
import { platformParams } from '../json-api/schemas.ts';
import { receiverRoute } from './receiver-route.ts';
import { listStreams, loadStream, type OwnStream, type SignalPassage } from './signal-door.ts';
import { signalWords } from './signal-words.ts';
import {
  type ChangedStream,
  changedStream,
  newStream,
  oneStream,
  streamQuery,
  streamView,
  streamViewOf,
  type WantedDelivery,
} from './stream-schemas.ts';

const path = '/:platform/ssf/streams';

/** Where to push, of what a receiver wants; null for one that polls. @throws ProblemError */
const urlWanted = (delivery: WantedDelivery | undefined): string | null => {
  // Without a word about it a stream is polled (SSF 1.0 §8.1.1.1).
  if (delivery === undefined || delivery.method === pollMethod) {
    if (delivery?.endpoint_url != null) throw refusalProblem(signalWords, 'poll_url_given');
    return null;
  }
  if (delivery.endpoint_url == null) throw refusalProblem(signalWords, 'url_missing');
  return delivery.endpoint_url;
};

/** What an update changes; `all` where what is not named goes back to what it is by itself. @throws ProblemError */
const changesOf = (
  { issuer }: SignalPassage,
  { state }: OwnStream,
  { body, all }: { readonly body: ChangedStream; readonly all: boolean },
): Partial<EndpointSettings> => {
  const { signals } = state;
  const { iss = issuer, aud = signals.audience, delivery, events_requested, description } = body;
  if (iss !== issuer || ![aud].flat().includes(signals.audience)) throw refusalProblem(signalWords, 'audience_fixed');
  if (delivery !== undefined && (delivery.method === pushMethod) !== (signals.method === 'push'))
    throw refusalProblem(signalWords, 'method_fixed');
  const requested = events_requested ?? (all ? null : signals.requested);
  const url = delivery === undefined || signals.method === 'poll' ? undefined : urlWanted(delivery);
  return {
    signals: { ...signals, requested },
    types: typesOfSignals(requested),
    ...(url == null ? {} : { url }),
    ...(description === undefined && !all ? {} : { description: description ?? '' }),
  };
};

/** The configuration of streams. @see OpenID Shared Signals Framework 1.0 §8.1.1 */
export const streamRoutes =
  (deps: Deps) =>
  (app: JsonApi): void => {
    const { route, passed } = receiverRoute(deps);
    const tags = ['Security events'];

    app.post(
      path,
      {
        ...route('manage'),
        schema: {
          tags,
          summary: 'Create a stream of security events: pushed to a URL, which is verified first, or polled',
          params: platformParams,
          body: newStream,
          response: { 201: streamView },
        },
      },
      async (request, reply) => {
        const passage = passed(request);
        const { names, client, clientId, isWide, by } = passage;
        const { delivery, events_requested: requested = null, description } = request.body;
        const url = urlWanted(delivery);
        if (url !== null) await passage.admitUrl(url);
        const { endpoint } = orThrow(
          signalWords,
          await registerStream(deps.provisioning, by, {
            platform: names.platform,
            client,
            clientId,
            isWide,
            url,
            authorization: delivery?.authorization_header ?? null,
            requested,
            description: description ?? '',
            isDevelopment: deps.config.isDevelopment,
          }),
        );
        const created = await loadStream(deps, passage, endpoint);
        return reply.code(201).send(streamViewOf(passage, created));
      },
    );

    app.get(
      path,
      {
        ...route('read'),
        schema: {
          tags,
          summary: 'The streams of this client, or the one of stream_id',
          params: platformParams,
          querystring: streamQuery,
          response: { 200: Type.Union([streamView, Type.Array(streamView)]) },
        },
      },
      async (request) => {
        const passage = passed(request);
        const { stream_id: id } = request.query;
        if (id !== undefined) return streamViewOf(passage, await loadStream(deps, passage, id));
        return (await listStreams(deps, passage)).map((stream) => streamViewOf(passage, stream));
      },
    );

    for (const [method, all, summary] of [
      ['PATCH', false, 'Change what is named of a stream'],
      ['PUT', true, 'Replace what a receiver can choose of a stream; what is not named goes back to what it is by itself'],
    ] as const) {
      app.route({
        method,
        url: path,
        ...route('manage'),
        schema: { tags, summary, params: platformParams, body: changedStream, response: { 200: streamView } },
        handler: async (request) => {
          const passage = passed(request);
          const { platform } = passage.names;
          const stream = await loadStream(deps, passage, request.body.stream_id);
          const changes = changesOf(passage, stream, { body: request.body, all });
          if (changes.url !== undefined && changes.url !== stream.state.url) await passage.admitUrl(changes.url);
          const task = { platform, endpoint: stream.id, manager: passage.manager };
          const command = { type: 'update', changes } as const;
          orThrow(
            signalWords,
            await changeEndpoint(deps.provisioning, passage.by, { ...task, command, isDevelopment: deps.config.isDevelopment }),
          );
          // After the URL: another URL is another receiver, and gets nothing that was given for the one before.
          const webhookToken = request.body.delivery?.authorization_header;
          if (webhookToken != null) {
            orThrow(signalWords, await rotateEndpointBearer(deps.provisioning, passage.by, { ...task, webhookToken, overlapSeconds: 0 }));
          }
          return streamViewOf(passage, await loadStream(deps, passage, stream.id));
        },
      });
    }

    app.delete(
      path,
      {
        ...route('manage'),
        schema: { tags, summary: 'Delete a stream', params: platformParams, querystring: oneStream, response: { 204: Type.Null() } },
      },
      async (request, reply) => {
        const passage = passed(request);
        const { id: endpoint } = await loadStream(deps, passage, request.query.stream_id);
        const task = { platform: passage.names.platform, endpoint, manager: passage.manager, isDevelopment: deps.config.isDevelopment };
        orThrow(signalWords, await changeEndpoint(deps.provisioning, passage.by, { ...task, command: { type: 'delete' } }));
        return reply.code(204).send(null);
      },
    );
  };
