import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseTraceparent } from '@grantlog/runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createWorld, type World } from '../management/support/world.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const traceparent = `00-${traceId}-${spanId}-00`;
const proxy = '10.1.2.3';
const stranger = '203.0.113.9';

let world: World;
let token: string;
let lines: string[] = [];
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'), { trustProxy: ['10.0.0.0/8'], onLine: (line) => void lines.push(line) });
  token = await world.operator('operator');
});
beforeEach(() => {
  lines = [];
});
afterAll(() => world.close());

type Line = { readonly reqId?: string; readonly traceId?: string; readonly msg: string };
const linesOfRequests = (): readonly Line[] => lines.map((line): Line => JSON.parse(line)).filter(({ reqId }) => reqId !== undefined);

/** Makes a request that records an event, and reads what stands in the log of the request and of the event. */
const record = async (from: string, headers: Readonly<Record<string, string>> = {}) => {
  lines = [];
  const answer = await world.app.inject({
    method: 'POST',
    url: '/arlo/manage/webhook-endpoints',
    remoteAddress: from,
    headers: { authorization: `Bearer ${token}`, ...headers },
    payload: { url: 'http://127.0.0.1:9/hook' },
  });
  expect(answer.statusCode).toBe(201);
  const { rows } = await world.deps.pool.query<{ id: string }>(
    `select correlation_id as id from event where platform = 'arlo' order by position desc limit 1`,
  );
  const correlationId = rows[0]?.id ?? '';
  const line = linesOfRequests().find(({ msg }) => msg === 'answered');
  return { answer, correlationId, trace: parseTraceparent(correlationId), line };
};

describe('a request', () => {
  test.each([stranger, proxy])('from %s begins a trace of its own, under its id, where none is named', async (from) => {
    const { correlationId, line } = await record(from);
    const digits = line?.reqId?.replaceAll('-', '') ?? '';
    expect(digits).toMatch(/^[0-9a-f]{32}$/);
    expect(line?.traceId).toBe(digits);
    expect(correlationId).toBe(`00-${digits}-${digits.slice(16)}-01`);
  });

  test.each([proxy, `::ffff:${proxy}`])('goes on with the trace that the trusted proxy %s names, by a span of ours', async (from) => {
    const [one, other] = [await record(from, { traceparent }), await record(from, { traceparent })];
    for (const { trace, line } of [one, other]) {
      expect(trace).toMatchObject({ traceId, flags: 0 });
      expect(trace?.spanId).toBe(line?.reqId?.replaceAll('-', '').slice(16));
      expect(line?.traceId).toBe(traceId);
    }
    expect(new Set([one.trace?.spanId, other.trace?.spanId, spanId]).size).toBe(3);
  });

  test.each([
    ['a stranger', { traceparent }],
    ['a stranger that says whom it forwards for', { traceparent, 'x-forwarded-for': proxy }],
  ])('does not join the trace that %s names', async (_, headers) => {
    const { correlationId, line } = await record(stranger, headers);
    expect(line?.traceId).toBe(line?.reqId?.replaceAll('-', ''));
    expect(correlationId).not.toContain(traceId);
    expect(lines.join()).not.toContain(traceId);
  });

  test.each([
    ['short', `00-${traceId.slice(1)}-${spanId}-01`],
    ['long', `00-${traceId}0-${spanId}-01`],
    ['upper case', traceparent.toUpperCase()],
    ['of version ff', `ff-${traceId}-${spanId}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['a span of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['of version 00 with more members', `${traceparent}-more`],
    ['two', `${traceparent}, ${traceparent}`],
  ])('begins a new trace where what its proxy names is %s', async (_, named) => {
    const { trace, line } = await record(proxy, { traceparent: named });
    expect(trace).toMatchObject({ traceId: line?.reqId?.replaceAll('-', ''), flags: 1 });
    expect(line?.traceId).toBe(trace?.traceId);
  });

  test('goes on with a trace of a later version as far as it is known', async () => {
    const { trace } = await record(proxy, { traceparent: `cc-${traceId}-${spanId}-01-what-comes-later` });
    expect(trace).toMatchObject({ traceId, flags: 1 });
  });

  test('keeps nothing of a tracestate', async () => {
    const { answer } = await record(proxy, { traceparent, tracestate: 'vendor=of-somebody' });
    expect(`${lines.join()} ${await world.everything()} ${JSON.stringify(answer.headers)}`).not.toContain('of-somebody');
  });

  test.each(['/arlo/manage/platforms/nowhere', '/no/such/path', '/%zz', '/nobody/oauth/token'])(
    'to %s has its trace in every line about it',
    async (url) => {
      await world.app.inject({ url, remoteAddress: proxy, headers: { traceparent } });
      expect(linesOfRequests().length).toBeGreaterThan(0);
      for (const line of linesOfRequests()) expect(line).toMatchObject({ traceId });
    },
  );
});

test('no event gets the id of its request alone for a correlation id', async () => {
  const source = join(import.meta.dirname, '..', '..', 'src');
  const files = (await readdir(source, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const texts = await Promise.all(files.map(async (name) => ({ name, text: await readFile(join(source, name), 'utf8') })));
  expect(texts.filter(({ text }) => text.includes('request.traceparent')).length).toBeGreaterThan(20);
  expect(texts.filter(({ text }) => /correlationId: (?:reply\.)?request\.id\b/.test(text)).map(({ name }) => name)).toEqual([]);
});
