import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { answering } from './support/behaviours.ts';
import { meet } from './support/meet.ts';
import { egress, seesClose, serve, told, wellBehaved } from './support/suite.ts';

const ok = 'HTTP/1.1 200 OK\r\n';
const smuggled = 'HTTP/1.1 200 OK\r\nx-smuggled: yes\r\ncontent-length: 6\r\n\r\npoison';

describe('an answer that two readers could take apart differently is none:', () => {
  test.each([
    ['two lengths', `${ok}content-length: 2\r\nContent-Length: 3\r\n\r\nok!`],
    ['two lengths in one', `${ok}content-length: 2, 3\r\n\r\nok!`],
    ['a negative length', `${ok}content-length: -2\r\n\r\nok`],
    ['a length with a sign', `${ok}content-length: +2\r\n\r\nok`],
    ['a length in hexadecimal', `${ok}content-length: 0x2\r\n\r\nok`],
    ['a length beyond all numbers', `${ok}content-length: 99999999999999999999999\r\n\r\nok`],
    ['a length besides chunks', `${ok}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks besides a length', `${ok}transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n`],
    ['a chunk of a negative length', `${ok}transfer-encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n`],
    ['a chunk of a length beyond all numbers', `${ok}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nx\r\n`],
    ['a chunk longer than it says', `${ok}transfer-encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n`],
    ['a space before a colon', `${ok}content-length : 2\r\n\r\nok`],
    ['a folded header', `${ok}a: b\r\n c: d\r\ncontent-length: 2\r\n\r\nok`],
    ['a bare carriage return', `${ok}a: b\rcontent-length: 2\r\n\r\nok`],
    ['a header with a zero byte', `${ok}a: b\0\r\ncontent-length: 2\r\n\r\nok`],
    ['lines that end in a line feed alone', 'HTTP/1.1 200 OK\ncontent-length: 2\n\nok'],
  ])('%s', async (_, sent) => {
    const { outcome, server } = await meet(answering(sent, 'end'));
    expect(outcome.kind).toBe('failed');
    expect(['other', 'reset']).toContain(told(outcome));
    await seesClose(server);
  });

  test('where its length is too long it was cut short, and where it is too short the rest is nobody’s', async () => {
    const long = await meet(answering(`${ok}content-length: 3\r\n\r\nok`, 'end'));
    expect(told(long.outcome)).toBe('reset');
    const short = await meet(answering(`${ok}content-length: 2\r\n\r\nokay`));
    expect(short.outcome.kind === 'response' && Buffer.from(short.outcome.body).toString()).toBe('ok');
    await seesClose(short.server);
  });
});

describe('what is no HTTP is no answer:', () => {
  test.each([
    ['no status', 'HTTP/1.1\r\n\r\n'],
    ['status 000', 'HTTP/1.1 000 Zero\r\ncontent-length: 0\r\n\r\n'],
    ['status 099', 'HTTP/1.1 099 Low\r\ncontent-length: 0\r\n\r\n'],
    ['status 20', 'HTTP/1.1 20 Short\r\ncontent-length: 0\r\n\r\n'],
    ['status 2000', 'HTTP/1.1 2000 Long\r\ncontent-length: 0\r\n\r\n'],
    ['status -200', 'HTTP/1.1 -200 Negative\r\ncontent-length: 0\r\n\r\n'],
    ['a status in letters', 'HTTP/1.1 abc\r\ncontent-length: 0\r\n\r\n'],
    ['another version', 'HTTP/9.9 200 OK\r\ncontent-length: 0\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['a page without a head (HTTP/0.9)', '<html>hello</html>'],
    ['a request', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['an upgrade that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nhello'],
    ['an upgrade to nothing', 'HTTP/1.1 101 Switching Protocols\r\n\r\nhello'],
    ['a "continue" that nobody waits for', `HTTP/1.1 100 Continue\r\n\r\n${ok}content-length: 2\r\n\r\nok`],
    ['bytes of TLS', Buffer.from([0x15, 3, 1, 0, 2, 2, 70])],
    ['zero bytes', Buffer.alloc(100)],
  ])('%s', async (_, sent) => {
    const { outcome, server } = await meet(answering(sent, 'end'));
    expect(told(outcome)).toBe('other');
    await seesClose(server);
  });

  test('a status that nobody defined is told as it is (RFC 9110 §15)', async () => {
    const { outcome } = await meet(answering('HTTP/1.1 999 Beyond\r\ncontent-length: 0\r\n\r\n'));
    expect(told(outcome)).toBe(999);
  });

  test('announcements before the answer are passed over', async () => {
    const announced = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(3);
    const { outcome } = await meet(answering(`${announced}${ok}a: b\r\ncontent-length: 2\r\n\r\nok`));
    expect(outcome).toMatchObject({ kind: 'response', status: 200, headers: { a: 'b' } });
    expect(outcome.kind === 'response' && outcome.headers).not.toHaveProperty('link');
  });
});

describe('headers of an answer', () => {
  test('may be 128, and more are a failure of their own', async () => {
    const answerWith = (count: number) => `${ok}${'a: b\r\n'.repeat(count - 1)}content-length: 0\r\n\r\n`;
    expect(told((await meet(answering(answerWith(128)))).outcome)).toBe(200);
    const { outcome, server } = await meet(answering(answerWith(129)));
    expect(told(outcome)).toBe('oversized');
    await seesClose(server);
  });

  test('may be as long as 16 KiB together', async () => {
    const answerWith = (bytes: number) => `${ok}a: ${'b'.repeat(bytes - 1 - 'content-length0'.length)}\r\ncontent-length: 0\r\n\r\n`;
    expect(told((await meet(answering(answerWith(16_383)))).outcome)).toBe(200);
    expect(told((await meet(answering(answerWith(16_384)))).outcome)).toBe('oversized');
  });

  test('change no object of ours, whatever their names are', async () => {
    const names = ['__proto__', 'constructor', 'valueof', 'isprototypeof'];
    const fields = names.map((name) => `${name}: 1\r\n${name}: 2\r\n`).join('');
    const { outcome } = await meet(answering(`${ok}${fields}content-length: 0\r\n\r\n`));
    const headers = outcome.kind === 'response' ? outcome.headers : {};
    expect(names.map((name) => Object.getOwnPropertyDescriptor(headers, name)?.value)).toEqual(names.map(() => '1, 2'));
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
  });
});

describe('an answer that nobody asked for', () => {
  test.each([
    ['with the first', (socket) => socket.write(`${ok}content-length: 5\r\n\r\nfirst${smuggled}`)],
    [
      'right after the first',
      (socket) => {
        socket.write(`${ok}content-length: 5\r\n\r\nfirst`);
        setImmediate(() => socket.write(smuggled));
      },
    ],
    [
      'while the connection is idle',
      (socket) => {
        socket.write(`${ok}content-length: 5\r\n\r\nfirst`);
        setTimeout(() => socket.write(smuggled), 30);
      },
    ],
    ['behind an answer that has no body', (socket) => socket.write(`HTTP/1.1 204 No Content\r\ncontent-length: 90\r\n\r\n${smuggled}`)],
  ] satisfies [string, (socket: Socket) => unknown][])('%s is not given to the next request', async (_, misbehave) => {
    const server = await serve((socket, nth) => {
      if (nth === 1) socket.once('data', () => misbehave(socket));
      else wellBehaved(socket, nth);
    });
    const client = egress({ connectionsPerOrigin: 1, totalTimeoutMs: 5_000 });
    const first = await client.request({ url: server.url, method: 'GET' });
    expect(first.kind).toBe('response');
    await new Promise((resolve) => setTimeout(resolve, 60));
    const next = await client.request({ url: server.url, method: 'GET' });
    expect(next.kind === 'response' && Buffer.from(next.body).toString()).toBe('ok');
    expect(server.accepted()).toBe(2);
  });

  test('is not given to a request that waited for the connection', async () => {
    const server = await serve((socket, nth) => {
      if (nth === 1) socket.once('data', () => socket.write(`${ok}content-length: 5\r\n\r\nfirst${smuggled}`));
      else wellBehaved(socket, nth);
    });
    const client = egress({ connectionsPerOrigin: 1, totalTimeoutMs: 5_000 });
    const both = await Promise.all([1, 2].map(() => client.request({ url: server.url, method: 'POST', body: 'x' })));
    expect(both.map((each) => each.kind === 'response' && Buffer.from(each.body).toString())).toEqual(['first', 'ok']);
  });
});
