import { eventTypes } from '../told-events/catalogue.ts';

/** Whether who asked for these types hears of that one. Null asks for all, `grant.*` for every one that begins with `grant.`. */
export const wants = (types: readonly string[] | null, type: string): boolean =>
  types === null || types.some((asked) => asked === type || (asked.endsWith('.*') && type.startsWith(asked.slice(0, -1))));

/** Those of `types` that no event would ever be sent for. */
export const unknownTypes = (types: readonly string[]): readonly string[] =>
  types.filter((asked) => !eventTypes.some(({ type }) => wants([asked], type)));
