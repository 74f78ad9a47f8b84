import { deliveredSignals, signalUris } from '@grantlog/domain';
import { pollMethod, pushMethod } from '@grantlog/provisioning';
import Type, { type Static } from 'typebox';
import { exactly, nullable } from '../json-api/schemas.ts';
import type { OwnStream, SignalPassage } from './signal-door.ts';

/** Seconds between two verifications that a receiver asks for, on average. */
const minVerificationInterval = 6;

const eventUris = Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { maxItems: 100, uniqueItems: true });

const method = Type.Enum([pushMethod, pollMethod], { description: 'Push (RFC 8935) or poll (RFC 8936)' });

/** How SETs are to come, as a receiver asks for it. */
const wantedDelivery = Type.Object({
  method,
  endpoint_url: Type.Optional(
    nullable(Type.String({ maxLength: 2048, description: 'Where to push; of a stream that is polled it is ours to say' })),
  ),
  authorization_header: Type.Optional(
    nullable(
      Type.String({
        minLength: 1,
        maxLength: 1024,
        pattern: '^[\\x20-\\x7e]+$',
        description: 'What pushes carry as Authorization, whole. Never shown again',
      }),
    ),
  ),
});

export type WantedDelivery = Static<typeof wantedDelivery>;

const wanted = {
  events_requested: Type.Optional(eventUris),
  delivery: Type.Optional(wantedDelivery),
  description: Type.Optional(nullable(Type.String({ maxLength: 500 }))),
};

/** A stream as it is asked for. Members that are the transmitter's are put up with and have to be as they are. */
export const newStream = Type.Object(wanted);
export const changedStream = Type.Object({
  stream_id: Type.String({ maxLength: 64 }),
  iss: Type.Optional(Type.String()),
  aud: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])),
  ...wanted,
});

export type ChangedStream = Static<typeof changedStream>;

export const streamView = Type.Object({
  stream_id: Type.String(),
  iss: Type.String(),
  aud: Type.String(),
  events_supported: Type.Array(Type.String()),
  events_requested: Type.Optional(Type.Array(Type.String())),
  events_delivered: Type.Array(Type.String()),
  delivery: Type.Object({ method: Type.String(), endpoint_url: Type.String() }),
  min_verification_interval: Type.Integer({ description: 'Seconds' }),
  description: Type.Optional(Type.String()),
});

export const streamQuery = exactly({ stream_id: Type.Optional(Type.String({ maxLength: 64 })) });
export const oneStream = exactly({ stream_id: Type.String({ maxLength: 64 }) });

/** Where a stream is polled. */
const pollUrlOf = (issuer: string, id: string): string => `${issuer}/ssf/poll/${id}`;

export const streamViewOf = ({ issuer }: Pick<SignalPassage, 'issuer'>, { id, state }: OwnStream): Static<typeof streamView> => {
  const { requested, audience, method: how } = state.signals;
  return {
    stream_id: id,
    iss: issuer,
    aud: audience,
    events_supported: [...signalUris],
    ...(requested === null ? {} : { events_requested: [...requested] }),
    events_delivered: [...deliveredSignals(requested)],
    delivery:
      how === 'poll' ? { method: pollMethod, endpoint_url: pollUrlOf(issuer, id) } : { method: pushMethod, endpoint_url: state.url },
    min_verification_interval: minVerificationInterval,
    ...(state.description === '' ? {} : { description: state.description }),
  };
};
