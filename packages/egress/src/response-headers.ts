import type { Dispatcher } from 'undici';

type Received = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

/** Bytes of names and values together in one block: the headers, or the trailers. */
export const maxHeaderBytes = 16_384;

const maxHeaders = 128;

/** Header fields as they came; a block of more than anybody needs is not kept. */
export const hasTooMany = (raw: Dispatcher.DispatchController['rawHeaders']): boolean => Array.isArray(raw) && raw.length > 2 * maxHeaders;

const isPlain = (received: Received): received is Readonly<Record<string, string>> =>
  Object.values(received).every((value) => typeof value === 'string');

/** Names in lower case; repeated headers joined by a comma. */
export const plainHeaders = (received: Received): Readonly<Record<string, string>> =>
  isPlain(received)
    ? received
    : Object.fromEntries(Object.entries(received).map(([name, value = '']) => [name, Array.isArray(value) ? value.join(', ') : value]));
