import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { createWebhookSecret } from '@grantlog/crypto';
import { describe, expect, test } from 'vitest';
import { createWebhookReceiver, type WebhookBody, type WebhookHeaders, type WebhookReceiverOptions } from '../../src/index.ts';
import { attempt, message, nowSeconds, told } from './attempts.ts';

const secret = createWebhookSecret();
const good = attempt({ secrets: [secret] });
const verified = { kind: 'verified', message };
const receiver = (change: Omit<WebhookReceiverOptions, 'secrets' | 'jwksUri' | 'issuer' | 'url'> = {}) =>
  createWebhookReceiver({ secrets: secret, now: () => nowSeconds * 1000, ...change });
const verify = (change: { readonly headers?: WebhookHeaders; readonly body?: WebhookBody }) => receiver().verify({ ...good, ...change });

describe('the headers', () => {
  const renamed = (rename: (name: string) => string) =>
    Object.fromEntries(Object.entries(good.headers).map(([name, value]) => [rename(name), value]));
  const listed = Object.fromEntries(Object.entries(good.headers).map(([name, value]) => [name, [value]]));

  test('may be in any form and any case', async () => {
    for (const headers of [renamed((name) => name.toUpperCase()), listed, new Headers(good.headers)])
      expect(await verify({ headers })).toEqual(verified);
  });

  describe.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('%s', (name) => {
    const value = good.headers[name] ?? '';

    test('is refused twice, even the same one', async () => {
      const appended = new Headers(good.headers);
      appended.append(name, value);
      const forms: readonly WebhookHeaders[] = [
        { ...listed, [name]: [value, value] },
        { ...good.headers, [name.toUpperCase()]: value },
        { ...good.headers, [name]: `${value}, ${value}` },
        { ...good.headers, [name]: `${value},${value}` },
        appended,
      ];
      for (const headers of forms) expect(await verify({ headers })).toMatchObject({ kind: 'refused', status: 400 });
      expect(await verify({ headers: { ...listed, [name]: [value, value] } })).toMatchObject({ reason: 'repeated_header' });
    });

    test('is missed', async () => {
      for (const none of [undefined, '', []])
        expect(await verify({ headers: { ...good.headers, [name]: none } })).toMatchObject({
          kind: 'refused',
          reason: 'missing_header',
          status: 400,
          body: { error: 'missing_header', error_description: expect.stringContaining(name) },
        });
    });
  });
});

describe('the token', () => {
  const token = 'to,ken-Ä'.replace('Ä', '~');
  const shown = (authorization: string | readonly string[] | undefined) =>
    receiver({ webhookToken: token }).verify({ ...good, headers: { ...good.headers, authorization } });

  test('is what Authorization has to carry where the receiver has one', async () => {
    expect(await shown(`Bearer ${token}`)).toEqual(verified);
    expect(await shown(`bearer  ${token}`)).toEqual(verified);
    expect(await verify({ headers: { ...good.headers, authorization: 'Bearer whatever' } })).toEqual(verified);
  });

  test.each([undefined, '', token, `Basic ${token}`, `Bearer ${token}x`, 'Bearer ', `Bearer ${token}, Bearer ${token}`])(
    'is not %j: 401 with a challenge',
    async (authorization) => {
      expect(await shown(authorization)).toMatchObject({
        kind: 'refused',
        reason: 'invalid_token',
        status: 401,
        headers: [['WWW-Authenticate', 'Bearer']],
      });
    },
  );

  test('is refused twice', async () => {
    expect(await shown([`Bearer ${token}`, `Bearer ${token}`])).toMatchObject({ reason: 'repeated_header', status: 400 });
  });

  test('is asked for before anything is read, and alone proves nothing', async () => {
    let wasRead = false;
    async function* body() {
      wasRead = true;
      yield good.body;
    }
    const judge = receiver({ webhookToken: token });
    expect(await judge.verify({ headers: good.headers, body: body() })).toMatchObject({ status: 401 });
    expect(wasRead).toBe(false);
    const headers = { ...good.headers, authorization: `Bearer ${token}` };
    expect(await judge.verify({ headers, body: `${good.body} ` })).toMatchObject({ reason: 'no_matching_signature' });
  });
});

describe('the body', () => {
  const sized = (bytes: number) => {
    const padding = bytes - Buffer.byteLength(JSON.stringify({ ...told, data: { ...told.data, padding: '' } }));
    return attempt({ secrets: [secret], body: JSON.stringify({ ...told, data: { ...told.data, padding: 'x'.repeat(padding) } }) });
  };
  const inChunks = (text: string): WebhookBody =>
    (async function* () {
      for (let from = 0; from < text.length; from += 1_000) yield Buffer.from(text.slice(from, from + 1_000));
    })();

  test('may have 256 KiB, however it comes, or what the receiver says', async () => {
    const [full, larger] = [sized(262_144), sized(262_145)];
    for (const form of [(text: string) => text, (text: string) => Buffer.from(text), inChunks]) {
      expect(await receiver().verify({ ...full, body: form(full.body) })).toMatchObject({ kind: 'verified' });
      expect(await receiver().verify({ ...larger, body: form(larger.body) })).toMatchObject({
        kind: 'refused',
        reason: 'body_too_large',
        status: 413,
      });
    }
    const small = receiver({ maxBodyBytes: Buffer.byteLength(good.body) });
    expect(await small.verify(good)).toEqual(verified);
    expect(await small.verify({ ...good, body: `${good.body} ` })).toMatchObject({ status: 413 });
  });

  test('that breaks off is refused', async () => {
    const broken = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from(good.body)),
      pull: (controller) => controller.error(new Error('gone')),
    });
    expect(await verify({ body: broken })).toMatchObject({ kind: 'refused', reason: 'unreadable_body', status: 400 });
  });

  test.each([
    'nothing',
    '[]',
    'null',
    '',
    `\u{feff}${JSON.stringify(told)}`,
    ...[
      { type: undefined },
      { type: 'grant..revoked' },
      { type: 7 },
      { timestamp: 1_800_000_000 },
      { timestamp: '2027-01-15' },
      { timestamp: '2027-13-15T07:59:58Z' },
      { data: undefined },
      { data: [] },
      { data: { ...told.data, sequence: undefined } },
      { data: { ...told.data, position: '41' } },
      { data: { ...told.data, position: -1 } },
    ].map((change) => JSON.stringify({ ...told, ...change })),
  ])('%j is refused in words, although signed', async (body) => {
    expect(await receiver().verify(attempt({ secrets: [secret], body }))).toMatchObject({
      kind: 'refused',
      reason: 'unexpected_body',
      status: 400,
      body: { error_description: expect.stringContaining('sequence and position') },
    });
  });

  test('that is no UTF-8 is never read as something else', async () => {
    const body = Buffer.from([0x7b, 0xff, 0x7d]);
    // The signature over the replaced character, as a library that decodes first would make it.
    expect(await verify({ ...attempt({ secrets: [secret], body: body.toString('utf8') }), body })).toMatchObject({
      reason: 'no_matching_signature',
    });
  });

  test('that somebody has parsed is a mistake of the receiver, told to it', async () => {
    for (const parsed of [told, null, undefined]) {
      // What a caller without types may pass.
      const body = parsed as unknown as WebhookBody;
      await expect(verify({ body })).rejects.toThrow(/^body must be what was received, before any parse/);
    }
  });
});

test('a server that gives the request itself answers what is too large, and closes', async () => {
  const judge = receiver({ maxBodyBytes: 1_000 });
  const server = createServer(async (request, response) => {
    const outcome = await judge.receive({ headers: request.headersDistinct, body: request }, () => undefined);
    for (const [name, value] of outcome.headers) response.appendHeader(name, value);
    response.writeHead(outcome.status).end(outcome.body === null ? '' : outcome.body.error);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const head = Object.entries(good.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // One chunk of many, and never an end.
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n${head.join('')}\r\n7d0\r\n${'x'.repeat(2_000)}\r\n`);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*body_too_large/);
  await new Promise((resolve) => server.close(resolve));
});
