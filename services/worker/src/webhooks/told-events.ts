import { type Telling as Told, tellingOf as told, verificationType } from '@grantlog/domain';
import type { RecordedEvent } from '@grantlog/eventsourcing';
import { firstLane, type Lane, revocationLane } from '@grantlog/postgres';

/** Raise it with any change to a body; each delivery says which renderer made its own. */
export const rendererVersion = 1;

/** The type of a delivery whose answer of 2xx verifies its endpoint. */
export const verification = verificationType;

type InLane<Any> = Any extends { readonly urgent: boolean } ? Omit<Any, 'urgent'> & { readonly lane: Lane } : Any;

/** What is told of an event, and which lane it goes in. */
export type Telling = InLane<Told<RecordedEvent>>;

export const tellingOf = (event: RecordedEvent): Telling => {
  const telling = told(event);
  if (telling === 'untold' || !('urgent' in telling)) return telling;
  const { urgent, ...rest } = telling;
  return { ...rest, lane: urgent ? revocationLane : firstLane };
};
