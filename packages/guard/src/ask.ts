import type { Asking } from './options.ts';

/** What the authorization server answered. `json` is a 200 with a JSON object, whatever it says. */
export type Answer =
  | { readonly kind: 'json'; readonly body: Readonly<Record<string, unknown>> }
  /** `body` is what it says of it, where that was asked for and is a JSON object. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter: number | null; readonly body: Answered | null }
  | { readonly kind: 'unusable'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string }
  /** Whoever asked waits no more: nothing is known, and nothing is wrong. */
  | { readonly kind: 'abandoned' };

type Answered = Readonly<Record<string, unknown>>;

const maxBytes = 65_536;
const maxRetryAfter = 3_600;

const unusable = (why: string): Answer => ({ kind: 'unusable', why });

/** Seconds only: a date would depend on two clocks (RFC 9110 §10.2.3). */
const retryAfterOf = (headers: Headers): number | null => {
  const text = headers.get('retry-after');
  return text !== null && /^\d{1,9}$/.test(text) ? Math.min(Math.max(Number(text), 1), maxRetryAfter) : null;
};

const readBounded = async (response: Response): Promise<Uint8Array | null> => {
  if (response.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the stream: what is too much is never received.
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const readJson = async (response: Response, mediaTypes: readonly string[]): Promise<Answer> => {
  const type = (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === undefined || !mediaTypes.includes(type)) {
    await response.body?.cancel();
    return unusable(`answered with something else than ${mediaTypes.join(' or ')}`);
  }
  const bytes = await readBounded(response);
  if (bytes === null) return unusable(`answered with more than ${maxBytes} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return unusable('answered with malformed JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return unusable('answered with JSON that is no object');
  // The three checks above leave nothing but an object.
  return { kind: 'json', body: value as Record<string, unknown> };
};

/**
 * Sends one request to the authorization server and never rejects.
 *
 * Bounded in time and size, follows no redirect (the secret would travel along), takes no answer from a cache.
 */
export const ask = async (
  settings: Pick<Asking, 'fetch' | 'timeoutMs' | 'signal'>,
  url: string,
  request: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly form?: URLSearchParams;
    /** Statuses whose body is read, too. */
    readonly readable?: readonly number[];
    /** Types of JSON that are taken; default: `application/json` alone. */
    readonly mediaTypes?: readonly string[];
  },
): Promise<Answer> => {
  const { fetch, timeoutMs, signal } = settings;
  const { mediaTypes = ['application/json'] } = request;
  try {
    const response = await fetch(url, {
      method: request.form === undefined ? 'GET' : 'POST',
      headers: { accept: mediaTypes.join(', '), ...request.headers },
      redirect: 'manual',
      cache: 'no-store',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]),
      ...(request.form === undefined ? {} : { body: request.form }),
    });
    if (response.status === 200) return await readJson(response, mediaTypes);
    const { status, headers } = response;
    const read = request.readable?.includes(status) === true ? await readJson(response, mediaTypes) : null;
    if (read === null) await response.body?.cancel();
    return { kind: 'status', status, retryAfter: retryAfterOf(headers), body: read?.kind === 'json' ? read.body : null };
  } catch (error) {
    if (signal?.aborted === true) return { kind: 'abandoned' };
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    return { kind: 'failed', why: timedOut ? `did not answer within ${timeoutMs} ms` : 'could not be reached' };
  }
};
