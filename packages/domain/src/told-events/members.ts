import type { JsonObject, JsonValue } from '@grantlog/eventsourcing';

/** The JSON Schema of one member of a body, with the value that examples give it. */
export type Member = JsonObject & { readonly description: string; readonly examples: readonly [JsonValue] };

type Said = { readonly description: string; readonly example: JsonValue };

const member = (schema: JsonObject, { description, example }: Said): Member => ({ ...schema, description, examples: [example] });

export const text = (description: string, example: string): Member => member({ type: 'string' }, { description, example });
export const uuid = (description: string, example: string): Member => member({ type: 'string', format: 'uuid' }, { description, example });
export const url = (description: string, example: string): Member => member({ type: 'string', format: 'uri' }, { description, example });
export const time = (description: string, example: string): Member =>
  member({ type: 'string', format: 'date-time' }, { description, example });
export const texts = (description: string, example: readonly string[]): Member =>
  member({ type: 'array', items: { type: 'string' } }, { description, example });
/** Any object, as whoever gave it made it. */
export const anything = (description: string, example: JsonObject): Member => member({ type: 'object' }, { description, example });

/** A number that counts from 1. */
export const ordinal = (description: string, example: number): Member => member({ type: 'integer', minimum: 1 }, { description, example });
/** An instant in whole seconds since the epoch. */
export const seconds = (description: string, example: number): Member =>
  member({ type: 'integer', minimum: 0 }, { description: `${description}; whole seconds since the epoch`, example });
/** The same, or null. */
export const secondsOrNull = (description: string, example: number): Member => ({
  ...seconds(description, example),
  type: ['integer', 'null'],
});

/** One of these words, each with what it means; give it the words of a type by `satisfies`, so that none is forgotten. */
export const word = (description: string, meanings: Readonly<Record<string, string>>): Member => {
  const words = Object.keys(meanings);
  const [first = ''] = words;
  const explained = Object.entries(meanings).map(([word, meaning]) => `\`${word}\` (${meaning})`);
  return member({ type: 'string', enum: words }, { description: `${description}: ${explained.join(', ')}`, example: first });
};
