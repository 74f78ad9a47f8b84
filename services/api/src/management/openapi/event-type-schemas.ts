import type { EventType } from '@grantlog/domain';
import type { FastifySchema } from 'fastify';
import Type from 'typebox';
import { problem } from './problem.ts';

const subjects = ['grant', 'session', 'account', 'sign_in', 'client', 'endpoint'] as const satisfies readonly EventType['subject'][];

const eventType = Type.Object(
  {
    type: Type.String({ description: 'The type of the body; what the types of a webhook endpoint name' }),
    description: Type.String({ description: 'When it is sent, and what to do' }),
    subject: Type.Enum(subjects, { description: 'What it is about' }),
    urgent: Type.Boolean({ description: 'Whether it goes ahead of those that are not' }),
    endsSubject: Type.Boolean({ description: 'Whether nothing more happens to its subject' }),
    schema: Type.Object({}, { description: 'Of the whole body: JSON Schema 2020-12. Put up with members that it does not have' }),
    example: Type.Object({}, { description: 'A body with all that it can have' }),
  },
  { description: 'One type of webhook' },
);

/** The catalogue of webhooks, for the description alone: it is sent as it was written down once. */
export const eventTypeSchemas: Readonly<Record<string, FastifySchema>> = {
  'GET /:platform/webhooks/event-types': {
    response: { 200: Type.Object({ eventTypes: Type.Array(eventType) }, { description: 'All of them' }) },
  },
  'GET /:platform/webhooks/event-types/:type': {
    response: { 200: eventType, 404: { ...problem, description: 'There is no such type; eventTypes names those that there are' } },
  },
};
