/**
 * The body before any parse: as bytes, as text, or as what brings it, such as the request of node:http or the `body` of
 * a fetch Request, of which no more is read than is taken.
 */
export type WebhookBody = string | Uint8Array | AsyncIterable<string | Uint8Array>;

export type BodyReading =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'too_large' }
  /** Whoever sent it has gone. */
  | { readonly kind: 'unreadable' };

const tooLarge: BodyReading = { kind: 'too_large' };

const collect = async (body: AsyncIterable<string | Uint8Array>, limit: number): Promise<BodyReading> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // No `for await`: leaving it early would destroy the request, and with it the way to answer.
  const iterator = body[Symbol.asyncIterator]();
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const chunk = Buffer.from(next.value);
      size += chunk.byteLength;
      if (size > limit) return tooLarge;
      chunks.push(chunk);
    }
  } catch {
    return { kind: 'unreadable' };
  }
  return { kind: 'bytes', bytes: Buffer.concat(chunks) };
};

/** @throws TypeError for what somebody has parsed already: nothing could be verified by it, ever. */
export const readBody = async (body: WebhookBody, limit: number): Promise<BodyReading> => {
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = Buffer.from(body);
    return bytes.byteLength > limit ? tooLarge : { kind: 'bytes', bytes };
  }
  // `as`: the type says so, but a framework's parsed body is `any`.
  if (typeof (body as Partial<typeof body> | null)?.[Symbol.asyncIterator] !== 'function') {
    throw new TypeError('body must be what was received, before any parse: bytes, text, or the request itself');
  }
  return collect(body, limit);
};
