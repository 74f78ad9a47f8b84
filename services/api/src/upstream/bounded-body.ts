import { Readable } from 'node:stream';
import { OAuthError } from '@grantlog/protocol';

/** The most that is passed on of a request's body, in bytes: 1 MiB. */
export const bodyLimit = 1_048_576;

/** 413; the connection ends with it, for what was not read still waits in it. */
export const bodyTooLarge = (): OAuthError =>
  new OAuthError('invalid_request', {
    status: 413,
    description: 'The body of a request to this resource may have 1 MiB at most',
    headers: { connection: 'close' },
  });

async function* upTo(body: Readable, limit: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  // Ending early leaves the request as it is: the answer still goes through its connection.
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > limit) throw bodyTooLarge();
    yield chunk;
  }
}

/** The same bytes as they come, failing with {@link bodyTooLarge} after `limit` of them. */
export const boundedBody = (body: Readable, limit: number = bodyLimit): Readable => Readable.from(upTo(body, limit), { objectMode: false });
