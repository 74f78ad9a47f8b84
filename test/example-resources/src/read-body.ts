import type { IncomingMessage } from 'node:http';

export type Body = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'too_large' } | { readonly kind: 'not_text' };

/** Reads a request's body: so many bytes of UTF-8 at most. What is more is not read. */
export const readBody = async (request: IncomingMessage, maxBytes: number): Promise<Body> => {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not by for await: leaving that loop destroys the socket, and with it the answer.
  const whole = await new Promise<boolean>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else {
        request.pause();
        resolve(false);
      }
    });
    request.on('end', () => resolve(true));
    request.on('error', reject);
  });
  if (!whole) return { kind: 'too_large' };
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)) };
  } catch {
    return { kind: 'not_text' };
  }
};
