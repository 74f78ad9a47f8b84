import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';

export type ReceivedSet = { readonly path: string; readonly authorization: string | null; readonly claims: JWTPayload };

/** Verifies SETs as any receiver would: by the keys that the transmitter's metadata names, of RS256 alone, `typ` and all. */
export const setVerifier = (of: { readonly issuer: string; readonly audience: string; readonly jwksUri: string }) => {
  const keys = createRemoteJWKSet(new URL(of.jwksUri));
  return async (token: string): Promise<JWTPayload> => {
    const { issuer, audience } = of;
    return (await jwtVerify(token, keys, { issuer, audience, typ: 'secevent+jwt', algorithms: ['RS256'] })).payload;
  };
};

/** A receiver of pushed SETs on loopback (RFC 8935): 202 for what verifies, 400 in its words for what does not. */
export const startSignalReceiver = async (verify: () => (token: string) => Promise<JWTPayload>) => {
  const received: ReceivedSet[] = [];
  const refused: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      try {
        const { 'content-type': type, accept, authorization = null } = request.headers;
        if (type !== 'application/secevent+jwt' || accept !== 'application/json') throw new Error(`sent as ${type} for ${accept}`);
        const claims = await verify()(Buffer.concat(chunks).toString('utf8'));
        received.push({ path: request.url ?? '', authorization, claims });
        response.writeHead(202).end();
      } catch (error) {
        refused.push(String(error));
        response.writeHead(400, { 'content-type': 'application/json' }).end('{"err":"invalid_request"}');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    refused,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};

export type SignalReceiver = Awaited<ReturnType<typeof startSignalReceiver>>;

/** The one event of a SET: its URI and what it says. */
export const eventOf = ({ events }: JWTPayload): readonly [string, Readonly<Record<string, unknown>>] => {
  const [event, ...others] = Object.entries((events ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>);
  if (event === undefined || others.length > 0) throw new Error(`a SET of ${others.length + 1} events`);
  return event;
};
