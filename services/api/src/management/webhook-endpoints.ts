import type { EndpointId, WebhookEndpointState } from '@grantlog/domain';
import { standingKinds, unknownTypes, webhookEndpointDecider } from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import { readEndpointHealth } from '@grantlog/postgres';
import { longestClientId } from '@grantlog/protocol';
import type { ChangeEndpointRefusal, EndpointChange, PlatformNames } from '@grantlog/provisioning';
import { changeEndpoint, listEndpoints, registerEndpoint, rotateEndpointSecret } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { conflicting, missing, orThrow, type RefusalWords, refusalProblem, unfit } from '../json-api/refusals.ts';
import { type Changed, changed, exactly, noBody, nullable, overlapSeconds, platformParams, position } from '../json-api/schemas.ts';
import { endpointHealthView, viewOfHealth } from '../webhooks/endpoint-health-view.ts';
import { eventTypesPath } from '../webhooks/event-types.ts';
import type { ManagementDeps } from './management-deps.ts';
import { standingIdOf } from './standing-id.ts';

/** What is said of everything that may be refused about an endpoint. */
export const endpointWords = {
  unknown_platform: missing('No such platform'),
  unknown_endpoint: missing('No such webhook endpoint'),
  unknown_client: unfit('clientId names no client of this platform'),
  endpoint_of_session: conflicting("The endpoint belongs to an agent's session, and only that agent can have it told at another url"),
  endpoint_exists: conflicting('The endpoint is registered already'),
  endpoint_deleted: conflicting('The endpoint has been deleted'),
  endpoint_disabled: conflicting('The endpoint is disabled: enable it first'),
  endpoint_unverified: conflicting('The endpoint has not proved its URL: nothing is sent to it until it answers the verification with 2xx'),
  recovery_running: conflicting('The endpoint is being recovered: wait for that to end, or cancel it'),
  secret_missing: unfit('An endpoint needs a signing secret'),
  too_many_secrets: unfit('An endpoint has at most two signing secrets'),
  url_invalid: unfit('url is not an absolute URL'),
  url_insecure: unfit(
    'url has to be https; plain http works on loopback only, in development, where the platform document sets webhooks.allowLoopback',
  ),
  url_with_credentials: unfit('url contains a user name or password; use the webhook token or the signature'),
  url_with_fragment: unfit('url has a fragment'),
  types_invalid: unfit('types has 1 to 100 event types, or is null for all'),
  types_unknown: unfit('types names what is no event type; /{platform}/webhooks/event-types lists them, and grant.* is all that begin so'),
  concurrency_out_of_range: unfit('concurrency is from 1 to 100'),
  rate_out_of_range: unfit('ratePerSecond is a whole number from 1 to 1,000, or null for no limit'),
  description_too_long: unfit('description has at most 500 characters'),
  grants_invalid: unfit('grants has 1 to 100 grants of one client, each once'),
  grants_without_client: unfit('grants are those of one client: name it as clientId'),
} as const satisfies Record<ChangeEndpointRefusal | 'unknown_client', RefusalWords>;
const words = endpointWords;

const tags = ['Webhook endpoints'];
const endpointParams = Type.Object({ platform: Type.String(), endpointId: Type.String() });
const settings = {
  url: Type.String({ minLength: 1, maxLength: 2048 }),
  types: nullable(
    Type.Array(Type.String({ maxLength: 100 }), {
      minItems: 1,
      maxItems: 100,
      uniqueItems: true,
      description: 'Event types, such as grant.revoked, or all of a kind, such as grant.*; /{platform}/webhooks/event-types lists them',
    }),
  ),
  ordered: Type.Boolean({ description: 'Deliver the events of each grant one after another' }),
  concurrency: Type.Integer({ minimum: 1, maximum: 100 }),
  description: Type.String({ maxLength: 500 }),
};
const signature = Type.Enum(['v1', 'v1a'], { description: 'v1 is HMAC-SHA256, v1a is Ed25519 (Standard Webhooks)' });
const newEndpoint = exactly({
  url: settings.url,
  types: Type.Optional(settings.types),
  ordered: Type.Optional(settings.ordered),
  concurrency: Type.Optional(settings.concurrency),
  description: Type.Optional(settings.description),
  clientId: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: longestClientId }))),
  signature: Type.Optional(signature),
});
/** What a receiver verifies with: one of the two. */
const shown = {
  secret: Type.Optional(Type.String({ description: 'whsec_…, shown once, here; with signature v1' })),
  publicKey: Type.Optional(Type.String({ description: 'whpk_…; with signature v1a' })),
};
const endpointView = Type.Object({
  endpointId: Type.String(),
  ...settings,
  clientStream: nullable(Type.String()),
  signature,
  verified: Type.Boolean(),
  status: Type.Enum(['active', 'disabled']),
  reason: nullable(Type.Enum(['operator', 'gone', 'receiver', 'failing', 'unverified'])),
});

const fullView = Type.Object({ ...endpointView.properties, health: endpointHealthView });

/** Tells types that do not exist one by one, where that is why something was refused. */
const refuseUnknownTypes = (
  outcome: object,
  { platform, types }: { readonly platform: string; readonly types: readonly string[] | null | undefined },
): void => {
  if (!('refusal' in outcome) || outcome.refusal !== 'types_unknown' || types == null) return;
  const errors = unknownTypes(types).map((type) => ({
    path: `types[${types.indexOf(type)}]`,
    problem: `names no event type: ${type}`,
    fix: `Name types that GET ${eventTypesPath(platform)} lists, or all of a kind, such as grant.*.`,
  }));
  throw refusalProblem(words, 'types_unknown', errors);
};

type Living = Extract<WebhookEndpointState, { readonly status: 'active' | 'disabled' }>;

// The query of a receiver's URL may be a secret of its own.
const shortened = (url: string): string => url.replace(/\?.*$/s, '?…');

const viewOf = (endpointId: string, endpoint: Living): Static<typeof endpointView> => ({
  endpointId,
  url: shortened(endpoint.url),
  types: endpoint.types === null ? null : [...endpoint.types],
  ordered: endpoint.ordered,
  concurrency: endpoint.concurrency,
  description: endpoint.description,
  clientStream: endpoint.client,
  signature: endpoint.signature,
  verified: endpoint.verified,
  status: endpoint.status,
  reason: endpoint.status === 'disabled' ? endpoint.reason : null,
});

/** Webhook endpoints of one platform. */
export const webhookEndpointRoutes =
  (deps: ManagementDeps) =>
  (app: JsonApi): void => {
    const { gate, provisioning } = deps;
    const { isDevelopment } = deps.config;
    const idOf = (text: string): EndpointId => {
      const id = standingIdOf<EndpointId>(standingKinds.webhookEndpoint, text);
      if (id === null) throw refusalProblem(words, 'unknown_endpoint');
      return id;
    };
    const statesOf = async ({ platform }: PlatformNames, ids: readonly EndpointId[]) => {
      if (ids.length === 0) return [];
      const loaded = await deps.log.load(
        platform,
        ids.map((streamId) => ({ streamId })),
      );
      return ids.map((id) => ({ id, state: fold(webhookEndpointDecider, loaded.stream(id)) }));
    };
    const apply = async (request: FastifyRequest, endpointId: string, command: EndpointChange): Promise<Changed> => {
      const { names, by } = await gate.platform(request);
      const { platform } = names;
      const outcome = await changeEndpoint(provisioning, by, { platform, endpoint: idOf(endpointId), command, isDevelopment });
      if (command.type === 'update') refuseUnknownTypes(outcome, { platform, types: command.changes.types });
      return orThrow(words, outcome);
    };

    app.post(
      '/:platform/manage/webhook-endpoints',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Register a webhook endpoint; what its receiver verifies with is shown once',
          params: platformParams,
          body: newEndpoint,
          response: { 201: Type.Object({ endpointId: Type.String(), signature, ...shown, position }) },
        },
      },
      async (request, reply) => {
        const { names, by } = await gate.platform(request);
        const { body } = request;
        const registered = await registerEndpoint(provisioning, by, {
          platform: names.platform,
          url: body.url,
          types: body.types ?? null,
          ordered: body.ordered ?? false,
          concurrency: body.concurrency ?? 10,
          description: body.description ?? '',
          clientId: body.clientId ?? null,
          signature: body.signature ?? 'v1',
          isDevelopment,
        });
        refuseUnknownTypes(registered, { platform: names.platform, types: body.types });
        const outcome = orThrow(words, registered);
        return reply
          .code(201)
          .header('location', `/${names.platform}/manage/webhook-endpoints/${outcome.endpoint}`)
          .send({ endpointId: outcome.endpoint, ...outcome.shown, position: outcome.position });
      },
    );

    app.get(
      '/:platform/manage/webhook-endpoints',
      {
        ...gate.ofPlatform,
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
        const { names } = await gate.platform(request);
        const { after, limit = 50 } = request.query;
        const query = { platform: names.platform, after: after === undefined ? null : idOf(after), limit };
        const ids = await listEndpoints(deps.pool, query);
        const states = await statesOf(names, ids);
        return {
          // Deleted ones are left out, so a page may be shorter than asked for and not be the last.
          endpoints: states.flatMap(({ id, state }) =>
            state.status === 'active' || state.status === 'disabled' ? [viewOf(id, state)] : [],
          ),
          next: ids.length < limit ? null : (ids.at(-1) ?? null),
        };
      },
    );

    app.get(
      '/:platform/manage/webhook-endpoints/:endpointId',
      {
        ...gate.ofPlatform,
        schema: { tags, summary: 'Read a webhook endpoint and how it answers', params: endpointParams, response: { 200: fullView } },
      },
      async (request) => {
        const { names } = await gate.platform(request);
        const id = idOf(request.params.endpointId);
        const [[found], health] = await Promise.all([
          statesOf(names, [id]),
          readEndpointHealth(deps.pool, { platform: names.platform, endpoint: id }),
        ]);
        if (found === undefined || found.state.status === 'none') throw refusalProblem(words, 'unknown_endpoint');
        if (found.state.status === 'deleted') throw refusalProblem(words, 'endpoint_deleted');
        return { ...viewOf(id, found.state), health: viewOfHealth(health) };
      },
    );

    app.patch(
      '/:platform/manage/webhook-endpoints/:endpointId',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Change a webhook endpoint; another URL is another receiver, unverified',
          params: endpointParams,
          body: Type.Partial(exactly(settings), { additionalProperties: false }),
          response: { 200: changed },
        },
      },
      (request) => apply(request, request.params.endpointId, { type: 'update', changes: request.body }),
    );

    app.delete(
      '/:platform/manage/webhook-endpoints/:endpointId',
      { ...gate.ofPlatform, schema: { tags, summary: 'Delete a webhook endpoint', params: endpointParams, response: { 200: changed } } },
      (request) => apply(request, request.params.endpointId, { type: 'delete' }),
    );

    app.post(
      '/:platform/manage/webhook-endpoints/:endpointId/secret',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Give an endpoint a new signing secret; for a while both sign',
          params: endpointParams,
          body: exactly({ overlapSeconds: Type.Optional(overlapSeconds) }),
          response: { 200: Type.Object({ signature, ...shown, position }) },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        // A day by default: receivers change their secret by hand.
        const task = {
          platform: names.platform,
          endpoint: idOf(request.params.endpointId),
          overlapSeconds: request.body.overlapSeconds ?? 86_400,
        };
        const outcome = orThrow(words, await rotateEndpointSecret(provisioning, by, task));
        return { ...outcome.shown, position: outcome.position };
      },
    );

    for (const [type, summary] of [
      ['enable', 'Enable a disabled endpoint'],
      ['disable', 'Stop speaking to an endpoint until it is enabled'],
    ] as const) {
      app.post(
        `/:platform/manage/webhook-endpoints/:endpointId/${type}`,
        { ...gate.ofPlatform, schema: { tags, summary, params: endpointParams, body: noBody, response: { 200: changed } } },
        (request) => apply(request, request.params.endpointId, { type }),
      );
    }
  };
