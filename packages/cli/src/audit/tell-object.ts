import { describe, type ToldEvent, timeline } from './timeline.ts';

/** The moment that an answer is for. */
export type ToldMoment = { readonly position: number; readonly time: string };

export const tellMoment = ({ position, time }: ToldMoment): string => `at position ${position}, ${time}`;

/** What an object has, a member a line; what is empty is left out. */
export const tellObject = (found: object): readonly string[] =>
  Object.entries(found)
    .filter(([, value]) => value !== null && value !== '' && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `  ${name}: ${describe(value)}`);

/** An object as it was, and the events that made it so. */
export const tellAsOf = (title: string, found: object, of: { readonly at: ToldMoment; readonly events: readonly ToldEvent[] }) => [
  `${title} ${tellMoment(of.at)}`,
  ...tellObject(found),
  `Made so by ${of.events.length} events of its own`,
  ...timeline(of.events),
];
