import type { JsonObject, JsonValue } from '@grantlog/eventsourcing';
import { type Description, descriptions } from './descriptions.ts';
import { type Member, time } from './members.ts';
import { type EventSubject, subjects } from './subjects.ts';
import { type Telling, tellings } from './tellings.ts';

/** One type of message that webhook endpoints are sent. */
export type EventType = {
  readonly type: string;
  /** When it is sent and what to do, for whoever writes a receiver. */
  readonly description: string;
  readonly subject: EventSubject;
  /** Whether it goes ahead of all that is not. */
  readonly urgent: boolean;
  /** Whether it is the last that happens to its subject. */
  readonly endsSubject: boolean;
  /** Of the whole body; open to members that come later. JSON Schema 2020-12. */
  readonly schema: JsonObject;
  /** A body with every member that the type can have. */
  readonly example: JsonObject;
};

type Members = Readonly<Record<string, Member>>;

const timestamp = time('When it happened', '2026-07-29T10:09:05.123Z');

const exampleOf = (members: Members): JsonObject =>
  Object.fromEntries(Object.entries(members).map(([name, { examples }]): [string, JsonValue] => [name, examples[0]]));

const whatItIs = (type: string): Pick<EventType, 'subject' | 'urgent'> & { readonly confidential?: true } => {
  // What is told of no stream asks an endpoint, and waits its turn.
  const telling = (tellings as Readonly<Record<string, Telling<never> | undefined>>)[type];
  if (telling === undefined || telling === 'untold' || !('urgent' in telling)) return { subject: 'endpoint', urgent: false };
  const { about: subject, urgent, confidential } = telling;
  return { subject, urgent, ...(confidential === undefined ? {} : { confidential }) };
};

const describe = (type: string, { description, endsSubject, members }: Description<Members>): EventType => {
  const { subject, urgent, confidential = false } = whatItIs(type);
  const { always } = subjects[subject];
  // No agent's session is told what is not for apps.
  const sometimes = confidential ? {} : subjects[subject].sometimes;
  const required: Members = { ...always, ...members };
  const all: Members = { ...required, ...sometimes };
  return {
    type,
    description,
    subject,
    urgent,
    endsSubject,
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: type,
      description,
      type: 'object',
      required: ['type', 'timestamp', 'data'],
      properties: {
        type: { const: type },
        timestamp,
        data: { type: 'object', required: Object.keys(required), properties: all },
      },
    },
    example: { type, ...exampleOf({ timestamp }), data: exampleOf(all) },
  };
};

/** Every type of message that webhook endpoints are sent, as their authors are told of it. */
export const eventTypes: readonly EventType[] = Object.entries(descriptions).map(([type, description]) => describe(type, description));
