import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Behaviour } from './support/raw-server.ts';
import { egress, seesClose, serve, told, wellBehaved } from './support/suite.ts';

const pieces = fc.constantFrom(
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 103 Early Hints\r\n',
  'HTTP/1.1 204 No Content\r\n',
  'HTTP/1.0 200 OK\r\n',
  'content-length: 3\r\n',
  'content-length: -1\r\n',
  'transfer-encoding: chunked\r\n',
  'transfer-encoding: gzip, chunked\r\n',
  'connection: close\r\n',
  'connection: upgrade\r\nupgrade: x\r\n',
  'keep-alive: timeout=0\r\n',
  '\r\n',
  '\n',
  '3\r\nabc\r\n',
  '0\r\n',
  '0\r\n\r\n',
  'a: b\r\n',
);
const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const script = fc.record({
  /** Almost HTTP, or nothing like it. */
  chunks: fc.array(fc.oneof({ weight: 4, arbitrary: pieces }, noise), { maxLength: 12 }),
  /** Several at once, or each on its own. */
  isApart: fc.boolean(),
  asksFirst: fc.boolean(),
  ending: fc.constantFrom('end', 'reset', 'keep'),
  method: fc.constantFrom('GET', 'HEAD', 'POST'),
} as const);

type Script = typeof script extends fc.Arbitrary<infer Value> ? Value : never;

const play =
  ({ chunks, isApart, asksFirst, ending }: Script): Behaviour =>
  (socket) => {
    const run = async (): Promise<void> => {
      if (asksFirst) await new Promise((resolve) => socket.once('data', resolve));
      for (const chunk of isApart ? chunks : [chunks.join('')]) {
        socket.write(Buffer.from(chunk, 'latin1'));
        if (isApart) await new Promise((resolve) => setImmediate(resolve));
      }
      if (ending === 'end') socket.end();
      if (ending === 'reset') socket.resetAndDestroy();
    };
    void run();
  };

test('whatever a server sends, there is an outcome, and the next request to another one works (CV-66)', { timeout: 120_000 }, async () => {
  const good = await serve(wellBehaved);
  const client = egress({ totalTimeoutMs: 5_000 });
  await fc.assert(
    fc.asyncProperty(script, async (each) => {
      const server = await serve(play(each));
      // Twice: a connection that stays open is used again, with whatever was left over on it.
      for (let nth = 0; nth < 2; nth += 1) {
        const outcome = await client.request({ url: server.url, method: each.method, timeoutMs: 60 });
        expect(['response', 'failed']).toContain(outcome.kind);
        expect(told(await client.request({ url: good.url, method: 'POST', body: 'x' }))).toBe(200);
      }
      await server.close();
    }),
    { numRuns: 300 },
  );
  await client.close();
  await seesClose(good);
});
