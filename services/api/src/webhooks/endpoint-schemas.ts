import type { WebhookEndpointState } from '@grantlog/domain';
import { longestClientId } from '@grantlog/protocol';
import Type, { type Static } from 'typebox';
import { exactly, nullable, position } from '../json-api/schemas.ts';

export const endpointParams = Type.Object({ platform: Type.String(), endpointId: Type.String() });

/** What may be changed about an endpoint after its registration. */
export const endpointSettings = {
  url: Type.String({ minLength: 1, maxLength: 2048, description: 'Where to send: https, on a public address' }),
  types: nullable(
    Type.Array(Type.String({ maxLength: 100 }), {
      minItems: 1,
      maxItems: 100,
      uniqueItems: true,
      description: 'Event types, such as grant.revoked, or all of a kind, such as grant.*; /{platform}/webhooks/event-types lists them',
    }),
  ),
  ordered: Type.Boolean({
    description:
      'Whether the messages about one subject, such as a grant, are sent one after another, each once the one before has arrived or was given up; those about different subjects go on beside each other. Without it a retry may come after a later message: order what you get by position',
  }),
  skipSuperseded: Type.Boolean({
    description:
      'Whether what still waits is left out once a later message about the same subject has made it stale, as the end of a grant does to its refreshes. For receivers that want to know how things stand and not how they came to be so',
  }),
  concurrency: Type.Integer({ minimum: 1, maximum: 100, description: 'Requests under way at once' }),
  ratePerSecond: nullable(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: 'Requests a second at most, retries included; what is more waits and none is lost. Null for no limit but concurrency',
    }),
  ),
  description: Type.String({ maxLength: 500, description: 'For people who read the list; sent to nobody' }),
};

export const signature = Type.Enum(['v1', 'v1a'], {
  description: 'v1 is HMAC-SHA256 with a shared secret, v1a is Ed25519 with a public key (Standard Webhooks). It never changes',
});

export const webhookToken = Type.String({
  minLength: 1,
  maxLength: 512,
  // It becomes a header of its own.
  pattern: '^[\\x21-\\x7e]+$',
  description: 'A random token of yours; requests carry it as Authorization: Bearer, besides their signature. Never shown again',
});

export const headers = Type.Record(Type.String(), Type.String(), {
  description:
    'Headers of yours for every request, values by names: at most 20, of 64 characters and 4 KiB. None that is ours or of the connection (webhook-*, Content-Type, User-Agent, Authorization, Host and such). Values are never shown again',
});

/** Twenty headers of 4 KiB, and all else. */
export const bodyLimit = 131_072;

const { types, ordered, skipSuperseded, concurrency, ratePerSecond, description } = endpointSettings;

/** A registration as agents send it: what it hears follows from their token, which grants may narrow. */
export const newOwnEndpoint = exactly({
  url: endpointSettings.url,
  types: Type.Optional(types),
  ordered: Type.Optional(ordered),
  skipSuperseded: Type.Optional(skipSuperseded),
  concurrency: Type.Optional(concurrency),
  ratePerSecond: Type.Optional(ratePerSecond),
  description: Type.Optional(description),
  grants: Type.Optional(
    nullable(
      Type.Array(Type.String({ maxLength: 64 }), {
        minItems: 1,
        maxItems: 100,
        uniqueItems: true,
        description: 'Ids of grants of the client, whose events alone it hears',
      }),
    ),
  ),
  signature: Type.Optional(signature),
  webhookToken: Type.Optional(webhookToken),
  headers: Type.Optional(headers),
});

/** A registration as operators send it. */
export const newEndpoint = exactly({
  ...newOwnEndpoint.properties,
  clientId: Type.Optional(
    nullable(
      Type.String({
        minLength: 1,
        maxLength: longestClientId,
        description: 'The client whose events it hears; null for the whole platform',
      }),
    ),
  ),
});

export type NewEndpointBody = Static<typeof newEndpoint>;

/** What a receiver verifies with: one of the two. */
export const shownSecret = {
  secret: Type.Optional(Type.String({ description: 'whsec_…, shown once, here; with signature v1' })),
  publicKey: Type.Optional(
    Type.String({
      description: 'whpk_…; with signature v1a. Also in the JWK set at /{platform}/webhooks/endpoints/{endpointId}/jwks.json',
    }),
  ),
};

export const registeredEndpoint = Type.Object({ endpointId: Type.String(), signature, ...shownSecret, position });

const week = 604_800;

/** How long what is replaced stays good. A day by default: receivers change what they verify with by hand. */
export const overlapSeconds = Type.Integer({
  minimum: 0,
  maximum: week,
  default: 86_400,
  description:
    'Seconds for which the previous one stays good, a week at most; a day unless given. There are never more than two: to rotate again within that time ends the oldest at once',
});

export const endpointView = Type.Object({
  endpointId: Type.String(),
  ...endpointSettings,
  clientStream: nullable(Type.String({ description: 'The client whose events it hears; null for the whole platform' })),
  grants: nullable(Type.Array(Type.String(), { description: 'The grants whose events alone it hears; null where it is not narrowed' })),
  registeredBy: Type.Enum(['operator', 'client', 'grant', 'session'], {
    description: "Whose it is: an operator's, a client's own, that of one grant of a person, or of an agent's sign-up session",
  }),
  signature,
  hasWebhookToken: Type.Boolean(),
  headers: Type.Array(Type.String(), { description: 'Names of its headers' }),
  verified: Type.Boolean({ description: 'Whether the URL has answered with 2xx; until then nothing but what proves it is sent' }),
  signals: nullable(
    Type.Object(
      {
        method: Type.Enum(['push', 'poll']),
        audience: Type.String({ description: 'The client_id of the receiver' }),
        paused: Type.Boolean({ description: 'Whether what happens is held' }),
        removedSubjects: Type.Integer({ description: 'Accounts that it hears nothing of' }),
      },
      { description: 'Where it is a stream of security events, which its receiver manages at /{platform}/ssf/streams; null for webhooks' },
    ),
  ),
  status: Type.Enum(['active', 'disabled']),
  reason: nullable(Type.Enum(['operator', 'gone', 'receiver', 'failing', 'unverified'])),
});

export type LivingEndpoint = Extract<WebhookEndpointState, { readonly status: 'active' | 'disabled' }>;

// The query of a receiver's URL may be a secret of its own.
const shortened = (url: string): string => url.replace(/\?.*$/s, '?…');

export const viewOf = (endpointId: string, endpoint: LivingEndpoint): Static<typeof endpointView> => ({
  endpointId,
  url: shortened(endpoint.url),
  types: endpoint.types === null ? null : [...endpoint.types],
  ordered: endpoint.ordered,
  skipSuperseded: endpoint.skipSuperseded,
  concurrency: endpoint.concurrency,
  ratePerSecond: endpoint.ratePerSecond,
  description: endpoint.description,
  clientStream: endpoint.client,
  grants: endpoint.grants === null ? null : [...endpoint.grants],
  registeredBy: endpoint.session === null ? endpoint.registeredBy : 'session',
  signature: endpoint.signature,
  hasWebhookToken: endpoint.bearers.length > 0,
  headers: [...(endpoint.headers?.names ?? [])],
  verified: endpoint.verified,
  signals:
    endpoint.signals === null
      ? null
      : {
          method: endpoint.signals.method,
          audience: endpoint.signals.audience,
          paused: endpoint.paused !== null,
          removedSubjects: endpoint.without.length,
        },
  status: endpoint.status,
  reason: endpoint.status === 'disabled' ? endpoint.reason : null,
});
