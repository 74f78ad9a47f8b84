import type { Decider, DomainEvent, JsonValue, Placed, RecordedEvent } from '@grantlog/eventsourcing';
import { accountDecider } from './account/decide.ts';
import type { AccountEvent } from './account/events.ts';
import { auditDecider } from './audit/decide.ts';
import type { AuditEvent } from './audit/events.ts';
import { clientDecider } from './client/decide.ts';
import type { ClientEvent } from './client/events.ts';
import { grantDecider } from './grant/decider.ts';
import type { GrantEvent } from './grant/events.ts';
import { keyRingDecider } from './key-ring/decide.ts';
import type { KeyRingEvent } from './key-ring/events.ts';
import { nameDecider } from './name/decide.ts';
import type { NameEvent } from './name/events.ts';
import { platformDecider } from './platform/decide.ts';
import type { PlatformEvent } from './platform/events.ts';
import { sessionDecider } from './session/decide.ts';
import type { SessionEvent } from './session/events.ts';
import { signInDecider } from './sign-in/decide.ts';
import type { SignInEvent } from './sign-in/events.ts';
import { webhookEndpointDecider } from './webhook-endpoint/decide.ts';
import type { WebhookEndpointEvent } from './webhook-endpoint/events.ts';

/** Every event that the log may hold. */
export type GrantlogEvent =
  | PlatformEvent
  | KeyRingEvent
  | AccountEvent
  | SignInEvent
  | ClientEvent
  | NameEvent
  | WebhookEndpointEvent
  | SessionEvent
  | GrantEvent
  | AuditEvent;

/** One number for all folds, part of a snapshot's key: raise it with any change to the shape or meaning of a state. */
export const foldVersion = 11;

/** An aggregate as who only folds sees it: the states are JSON, and only its own `evolve` knows more. */
export type AggregateFold = {
  readonly name: string;
  readonly initial: JsonValue;
  readonly evolve: (state: JsonValue, event: RecordedEvent) => JsonValue;
};

const foldOf = <State extends { readonly status: string }, E extends DomainEvent>(
  name: string,
  { initial, evolve }: Pick<Decider<State, never, E, string>, 'initial' | 'evolve'>,
): AggregateFold => ({
  name,
  // Every state is plain JSON by the rule of this package; the round trip is a property test.
  initial: initial as unknown as JsonValue,
  // The first segment of the type chose this aggregate, and only its decider records such events.
  evolve: (state, event) => evolve(state as unknown as State, event as unknown as Placed<E>) as unknown as JsonValue,
});

const folds: ReadonlyMap<string, AggregateFold> = new Map(
  [
    foldOf('platform', platformDecider),
    foldOf('signing_key', keyRingDecider),
    foldOf('account', accountDecider),
    foldOf('sign_in', signInDecider),
    foldOf('client', clientDecider),
    foldOf('name', nameDecider),
    foldOf('webhook_endpoint', webhookEndpointDecider),
    foldOf('session', sessionDecider),
    foldOf('grant', grantDecider),
    foldOf('audit', auditDecider),
  ].map((fold) => [fold.name, fold]),
);

/** The fold that events of this type belong to, or null for a type that no aggregate here has. */
export const aggregateOf = (eventType: string): AggregateFold | null => {
  const [segment = ''] = eventType.split('.', 1);
  return folds.get(segment) ?? null;
};
