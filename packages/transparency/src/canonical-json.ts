export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };
export type JsonObject = { readonly [name: string]: JsonValue };

/** Deeper than any event; a limit, because each level takes a frame of the stack. */
const deepest = 500;

// Printable ASCII but for the quotation mark and the reverse solidus, which is nearly every string of an event.
const unlikePlain = /[^ !#-[\]-~]/;

const writeString = (text: string): string => {
  if (!unlikePlain.test(text)) return `"${text}"`;
  // RFC 8785 §3.2.2.2. Two texts that differ in a lone surrogate alone would become the same UTF-8.
  if (!text.isWellFormed()) throw new RangeError('a string with a lone surrogate has no canonical form');
  return JSON.stringify(text);
};

const writeNumber = (value: number): string => {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is no number of JSON`);
  // RFC 8785 §3.2.2.3 is ECMAScript's own way of writing a number; it writes -0 as 0.
  return `${value}`;
};

const writeArray = (values: readonly JsonValue[], depth: number): string => {
  let text = '[';
  for (const value of values) text += text.length === 1 ? write(value, depth) : `,${write(value, depth)}`;
  return `${text}]`;
};

const writeObject = (value: JsonObject, depth: number): string => {
  // RFC 8785 §3.2.3: by UTF-16 code units, which is how an array of strings is sorted by default.
  const names = Object.keys(value).sort();
  let text = '{';
  for (const name of names) {
    // The name is one of the object's own.
    const member = `${writeString(name)}:${write(value[name] as JsonValue, depth)}`;
    text += text.length === 1 ? member : `,${member}`;
  }
  return `${text}}`;
};

const isArray: (value: unknown) => value is readonly unknown[] = Array.isArray;

const write = (value: JsonValue, depth: number): string => {
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'number') return writeNumber(value);
  if (value === null || value === true || value === false) return `${value}`;
  if (depth === 0) throw new RangeError(`JSON nested deeper than ${deepest} levels`);
  if (isArray(value)) return writeArray(value, depth - 1);
  if (typeof value === 'object') return writeObject(value, depth - 1);
  throw new RangeError(`a ${typeof value} is no value of JSON`);
};

/**
 * The one text of a JSON value: no white space, members sorted by UTF-16 code units, numbers and strings as ECMAScript writes them.
 *
 * @throws RangeError for a lone surrogate, a number that is not finite, anything that is not JSON, or more than 500 levels.
 * @see RFC 8785
 */
export const canonicalJson = (value: JsonValue): string => write(value, deepest);
