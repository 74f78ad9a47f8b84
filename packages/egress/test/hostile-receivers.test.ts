import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { answering, dripping, endless } from './support/behaviours.ts';
import { meet } from './support/meet.ts';
import type { Behaviour } from './support/raw-server.ts';
import { seesClose, told } from './support/suite.ts';

const megabyte = 1024 * 1024;
const ok = 'HTTP/1.1 200 OK\r\n';

/** Sees only much later that the connection has ended. */
const neverReading: Behaviour = (socket) => {
  socket.pause();
  setTimeout(() => socket.resume(), 1_500);
};

describe('a receiver that takes its time is cut off when the time is over (WH-01):', () => {
  test.each([
    ['never answers', () => undefined],
    ['never reads', neverReading],
    ['sends its headers a byte at a time', dripping(ok, 'x')],
    ['sends its header fields one at a time', dripping(ok, 'a: b\r\n')],
    ['sends its body a byte at a time', dripping(`${ok}content-length: 1000\r\n\r\n`, 'x')],
    ['sends its body chunk by chunk', dripping(`${ok}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n')],
    ['sends its trailers a byte at a time', dripping(`${ok}transfer-encoding: chunked\r\n\r\n0\r\n`, 'x')],
    ['stops within its headers', answering('HTTP/1.1 200 OK\r\ncontent-le')],
    ['promises more body than it sends', answering(`${ok}content-length: 10\r\n\r\nabc`)],
    ['announces for ever what is to come', dripping('', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n')],
  ] satisfies [string, Behaviour][])('it %s', async (_, behave) => {
    const { outcome, server } = await meet(behave, { body: 'x'.repeat(8 * megabyte) });
    expect(told(outcome)).toBe('timeout');
    expect(outcome.kind === 'failed' && outcome.durationMs).toBeGreaterThanOrEqual(400);
    await seesClose(server);
  });
});

describe('a receiver that sends without end is not listened to:', () => {
  test.each([
    ['a body of a length that it gives', `${ok}content-length: 10000000000\r\n\r\n`, 'x'.repeat(65_536)],
    ['a body until it closes', `${ok}\r\n`, 'x'.repeat(65_536)],
    ['a body in chunks', `${ok}transfer-encoding: chunked\r\n\r\n`, `10000\r\n${'x'.repeat(65_536)}\r\n`],
    ['a body that says it is compressed', `${ok}content-encoding: gzip\r\n\r\n`, gzipSync(Buffer.alloc(megabyte))],
  ])('%s is kept up to what was agreed (WH-02)', async (_, begin, more) => {
    const { outcome, server } = await meet(endless(begin, more), { maxResponseBytes: 1_000 });
    expect(outcome).toMatchObject({ kind: 'response', status: 200, truncated: true });
    expect(outcome.kind === 'response' && outcome.body.length).toBe(1_000);
    await seesClose(server);
    expect(server.sent()).toBeLessThan(32 * megabyte);
  });

  test.each([
    ['header fields', ok, 'a: b\r\n'.repeat(1_000)],
    ['empty header fields', ok, 'a:\r\n'.repeat(1_000)],
    ['one header value', `${ok}a: `, 'x'.repeat(65_536)],
    ['one header name', ok, 'x'.repeat(65_536)],
    ['trailers', `${ok}transfer-encoding: chunked\r\n\r\n0\r\n`, 'a: b\r\n'.repeat(1_000)],
    ['one trailer', `${ok}transfer-encoding: chunked\r\n\r\n0\r\na: `, 'x'.repeat(65_536)],
    ['an extension of a chunk', `${ok}transfer-encoding: chunked\r\n\r\n1;a=`, 'x'.repeat(65_536)],
    ['extensions of chunks', `${ok}transfer-encoding: chunked\r\n\r\n`, `1;${'x'.repeat(megabyte)}\r\nx\r\n`],
    ['interim responses', '', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(1_000)],
  ])('%s', async (_, begin, more) => {
    const { outcome, server } = await meet(endless(begin, more), { maxResponseBytes: 1_000, timeoutMs: 5_000 });
    expect(told(outcome)).toBe('oversized');
    await seesClose(server);
    expect(server.sent()).toBeLessThan(256 * megabyte);
  });

  test('interim "continue" responses', async () => {
    const { outcome, server } = await meet(endless('', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000)));
    expect(told(outcome)).toBe('other');
    await seesClose(server);
  });

  test('a line that is no header of any status', async () => {
    const { outcome, server } = await meet(endless('HTTP/1.1 200 ', 'x'.repeat(65_536)), { timeoutMs: 5_000 });
    expect(told(outcome)).toBe('oversized');
    await seesClose(server);
  });
});

describe('what a receiver packed is handed on as it came (CV-64)', () => {
  test('where 5,000 encodings are stacked', async () => {
    const encodings = Array.from({ length: 100 }, () => `content-encoding: ${Array.from({ length: 5 }, () => 'gzip').join(', ')}\r\n`);
    const packed = gzipSync(gzipSync(Buffer.alloc(megabyte)));
    const { outcome } = await meet(answering(Buffer.concat([Buffer.from(`${ok}${encodings.join('')}\r\n`), packed]), 'end'));
    expect(outcome.kind === 'response' && Buffer.compare(outcome.body, packed)).toBe(0);
    const all = `content-encoding: ${Array.from({ length: 5_000 }, () => 'gzip').join(',')}\r\n`;
    const { outcome: refused } = await meet(answering(`${ok}${all}\r\n`, 'end'));
    expect(told(refused)).toBe('oversized');
  });
});

describe('a receiver that ends the connection', () => {
  test.each([
    ['at once', ''],
    ['within its status line', 'HTTP/1.1 20'],
    ['within its headers', `${ok}content-le`],
    ['within its body', `${ok}content-length: 10\r\n\r\nabc`],
    ['within a chunk', `${ok}transfer-encoding: chunked\r\n\r\na\r\nabc`],
    ['within its trailers', `${ok}transfer-encoding: chunked\r\n\r\n0\r\na: b`],
  ])('%s has given no answer, however it does it', async (_, sent) => {
    for (const then of ['end', 'reset'] as const) {
      const { outcome, server } = await meet(answering(sent, then));
      expect(told(outcome)).toBe('reset');
      await seesClose(server);
      expect(server.accepted()).toBe(1);
    }
  });

  test('before it is sent anything has given no answer either', async () => {
    const { outcome } = await meet((socket) => socket.resetAndDestroy());
    expect(told(outcome)).toBe('reset');
  });
});
