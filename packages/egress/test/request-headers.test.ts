import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { headerProblem } from '../src/index.ts';
import { egress, serve, told, wellBehaved } from './support/suite.ts';

const send = async (headers: Readonly<Record<string, string>>) => {
  const server = await serve(wellBehaved);
  const outcome = told(await egress({ totalTimeoutMs: 5_000 }).request({ url: server.url, method: 'POST', headers, body: 'x' }));
  return { outcome, received: server.received() };
};

describe('a header', () => {
  test.each([
    ['Host', /connection/],
    ['content-length', /connection/],
    ['Content-Length', /connection/],
    ['Transfer-Encoding', /connection/],
    ['Connection', /connection/],
    ['keep-alive', /connection/],
    ['upgrade', /connection/],
    ['TE', /connection/],
    ['Trailer', /connection/],
    ['Expect', /connection/],
    ['accept-encoding', /connection/],
    ['Proxy-Authorization', /connection/],
    ['Cookie', /connection/],
    ['bad name', /letters/],
    ['bad:name', /letters/],
    ['bad\r\nname', /letters/],
    ['ſet', /letters/],
    ['naïve', /letters/],
    // Its lower case is the letter k.
    ['\u212aey', /letters/],
    ['', /letters/],
    ['x'.repeat(257), /at most 256/],
  ])('cannot be called %j (CV-65)', async (name, words) => {
    expect(headerProblem({ name, value: '1' })).toMatch(words);
    expect(await send({ [name]: '1' })).toEqual({ outcome: 'header_not_allowed', received: '' });
  });

  test.each([
    ['a\r\nb: c', /ASCII/],
    ['a\nb', /ASCII/],
    ['a\rb', /ASCII/],
    ['é', /ASCII/],
    ['\u010d\u010a', /ASCII/],
    ['a\0', /ASCII/],
    ['\x7f', /ASCII/],
    ['x'.repeat(8_193), /at most 8192/],
    ['x'.repeat(65_536), /at most 8192/],
  ])('cannot be %j (CV-68)', async (value, words) => {
    expect(headerProblem({ name: 'x-a', value })).toMatch(words);
    expect(await send({ 'x-a': value })).toEqual({ outcome: 'header_not_allowed', received: '' });
  });

  test.each([
    ['Authorization', 'Bearer a.b-c'],
    ['webhook-id', '1'],
    ['X_under', ''],
    ['x-tab', 'a\tb'],
    ['x-long', 'x'.repeat(8_192)],
    ['x'.repeat(256), 'y'],
  ])('may be called %s', async (name, value) => {
    expect(headerProblem({ name, value })).toBe(null);
    const { outcome, received } = await send({ [name]: value });
    expect(outcome).toBe(200);
    expect(received).toContain(`\r\n${name.toLowerCase()}: ${value}\r\n`);
  });

  test('cannot be given in two spellings', async () => {
    expect((await send({ 'X-A': '1', 'x-a': '2' })).outcome).toBe('header_not_allowed');
    expect((await send({ 'x-a': '1', 'X-a': '1', 'x-b': '2' })).outcome).toBe('header_not_allowed');
  });
});

test('nothing that is not refused adds a line to a request', { timeout: 60_000 }, async () => {
  const server = await serve(wellBehaved);
  const client = egress({ totalTimeoutMs: 5_000 });
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('host', 'Content-Length', 'x-a', '\r\nx: y'));
  let before = 0;
  await fc.assert(
    fc.asyncProperty(text, text, async (name, value) => {
      const outcome = told(await client.request({ url: server.url, method: 'GET', headers: { [name]: value } }));
      const received = server.received().slice(before);
      before += received.length;
      expect(outcome).toBe(headerProblem({ name, value }) === null ? 200 : 'header_not_allowed');
      // The request line, host, connection, accept-encoding, the header, and the two that end it all.
      expect(received.split('\r\n').length).toBe(outcome === 200 ? 7 : 1);
    }),
    { numRuns: 500 },
  );
});
