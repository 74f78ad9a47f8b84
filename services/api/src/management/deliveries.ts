import { type EndpointId, parseStreamId, standingKinds, type WebhookEndpointState, webhookEndpointDecider } from '@grantlog/domain';
import { fold, type StreamId } from '@grantlog/eventsourcing';
import { type DeliveryFilter, listDeliveries, readDelivery, redeliver } from '@grantlog/postgres';
import Type, { type Static } from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { conflicting, missing, refusalProblem } from '../json-api/refusals.ts';
import { exactly, noBody, nullable, platformParams } from '../json-api/schemas.ts';
import {
  deliveryDetailView,
  deliveryStatus,
  deliveryView,
  parseCursor,
  spellCursor,
  viewOfDelivery,
  viewOfDeliveryDetail,
} from '../webhooks/delivery-view.ts';
import { endpointWords } from '../webhooks/endpoint-words.ts';
import type { ManagementDeps } from './management-deps.ts';
import { standingIdOf } from './standing-id.ts';

const { endpoint_deleted, endpoint_disabled, endpoint_unverified } = endpointWords;
const words = {
  unknown_delivery: missing('The endpoint has no such delivery, or has it no more: they are kept for 30 days'),
  delivery_pending: conflicting('The delivery is still under way: its next attempt comes by itself'),
  endpoint_deleted,
  endpoint_disabled,
  endpoint_unverified,
} as const;

const tags = ['Webhook deliveries'];
const deliveryParams = Type.Object({ platform: Type.String(), endpointId: Type.String(), id: Type.String() });
const queried = exactly({
  endpoint: Type.Optional(Type.String({ maxLength: 36 })),
  event: Type.Optional(Type.String({ maxLength: 36, description: 'The webhook-id' })),
  grant: Type.Optional(Type.String({ maxLength: 36, description: 'What the event is about; any other subject will do as well' })),
  status: Type.Optional(deliveryStatus),
  type: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  before: Type.Optional(Type.String({ maxLength: 200, description: 'next of the page before' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
});

type Asked = Omit<DeliveryFilter, 'platform'>;

/** What a list is asked for; null where an id is named that nothing can have. */
const filterOf = ({ endpoint, event, grant, status, type, before, limit = 50 }: Static<typeof queried>): Asked | null => {
  const ids: { endpoint?: StreamId; id?: StreamId; subject?: StreamId } = {};
  for (const [name, text] of [
    ['endpoint', endpoint],
    ['id', event],
    ['subject', grant],
  ] as const) {
    if (text === undefined) continue;
    const id = parseStreamId(text);
    if (id === null) return null;
    ids[name] = id;
  }
  return {
    ...ids,
    ...(status === undefined ? {} : { state: status }),
    ...(type === undefined ? {} : { type }),
    ...(before === undefined ? {} : { before: parseCursor(before) }),
    limit,
  };
};

/** Why nothing is sent to an endpoint again; null where something may be. */
const hindrance = (endpoint: WebhookEndpointState): keyof typeof words | null => {
  switch (endpoint.status) {
    case 'none':
      return 'unknown_delivery';
    case 'deleted':
      return 'endpoint_deleted';
    case 'disabled':
      return 'endpoint_disabled';
    case 'active':
      return endpoint.verified ? null : 'endpoint_unverified';
  }
};

/** What webhook endpoints of one platform were sent, and what came of it: kept for 30 days. */
export const deliveryRoutes =
  (deps: ManagementDeps) =>
  (app: JsonApi): void => {
    const { gate } = deps;
    /** The delivery that a path names. */
    const keyOf = ({ platform }: Pick<DeliveryFilter, 'platform'>, params: Static<typeof deliveryParams>) => {
      const endpoint = standingIdOf<EndpointId>(standingKinds.webhookEndpoint, params.endpointId);
      const id = parseStreamId(params.id);
      if (endpoint === null || id === null) throw refusalProblem(words, 'unknown_delivery');
      return { platform, endpoint, id };
    };

    app.get(
      '/:platform/manage/deliveries',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'List what webhook endpoints were sent, newest first: of an endpoint, of an event, about a grant, or by status',
          params: platformParams,
          querystring: queried,
          response: { 200: Type.Object({ deliveries: Type.Array(deliveryView), next: nullable(Type.String()) }) },
        },
      },
      async (request) => {
        const { names } = await gate.platform(request);
        const filter = filterOf(request.query);
        if (filter === null) return { deliveries: [], next: null };
        const page = await listDeliveries(deps.pool, { platform: names.platform, ...filter });
        return { deliveries: page.deliveries.map(viewOfDelivery), next: spellCursor(page.next) };
      },
    );

    app.get(
      '/:platform/manage/webhook-endpoints/:endpointId/deliveries/:id',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Read a delivery with every attempt at it',
          params: deliveryParams,
          response: { 200: deliveryDetailView },
        },
      },
      async (request) => {
        const { names } = await gate.platform(request);
        const delivery = await readDelivery(deps.pool, keyOf(names, request.params));
        if (delivery === null) throw refusalProblem(words, 'unknown_delivery');
        return viewOfDeliveryDetail(delivery);
      },
    );

    app.post(
      '/:platform/manage/webhook-endpoints/:endpointId/deliveries/:id/resend',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Send what was delivered or given up once more, under the same webhook-id',
          params: deliveryParams,
          body: noBody,
          response: { 202: deliveryView },
        },
      },
      async (request, reply) => {
        const { names } = await gate.platform(request);
        const key = keyOf(names, request.params);
        const [delivery, loaded] = await Promise.all([
          readDelivery(deps.pool, key),
          deps.log.load(key.platform, [{ streamId: key.endpoint }]),
        ]);
        if (delivery === null) throw refusalProblem(words, 'unknown_delivery');
        const hindered = hindrance(fold(webhookEndpointDecider, loaded.stream(key.endpoint)));
        if (hindered !== null) throw refusalProblem(words, hindered);
        if (!(await redeliver(deps.pool, key))) throw refusalProblem(words, 'delivery_pending');
        const again = await readDelivery(deps.pool, key);
        return reply.code(202).send(viewOfDelivery(again ?? delivery));
      },
    );
  };
