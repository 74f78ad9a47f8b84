import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintToken, uuidv7 } from '@grantlog/crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fakeAudit, json, runAudit } from './support/fake-audit.ts';

const grant = '01890000-0000-7000-8000-000000000001';
const account = '00000000-0003-8000-8000-000000000001';
const secret = 'glog_token-of-an-auditor';
const leaked = mintToken({
  prefix: 'tst',
  kind: 'access',
  platform: 'along',
  key: new Uint8Array(32),
  nonce: new Uint8Array(32),
  payload: { streamId: uuidv7(Date.now()), sequence: 0, expiresAt: 1, keyId: 1, scopes: [], resource: null },
});

let server: Awaited<ReturnType<typeof fakeAudit>>;
let folder: string;
beforeAll(async () => {
  server = await fakeAudit();
  folder = await mkdtemp(join(tmpdir(), 'grantlog-questions-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const ask = (...argv: readonly string[]) => runAudit([...argv, '--url', server.issuer], { GRANTLOG_AUDIT_TOKEN: secret });
const event = (position: number, data: object = {}) => ({
  position,
  recordedAt: '2026-11-07T14:03:00.000Z',
  type: 'grant.authorized',
  streamId: grant,
  version: position,
  actor: { kind: 'client', id: 'somebody' },
  correlationId: 'request',
  data,
});
const page = (events: readonly object[], next: number | null = null) => json(200, { events, next, through: 9, current: true });
const at = { position: 9, time: '2026-11-07T14:03:00.000Z' };

describe('grantlog audit events', () => {
  test('asks in a body, with the token in its header, so that no email and no address stands in a URL', async () => {
    server.answers(page([event(1)]));
    const filter = [
      ...['--account', 'person@example.com', '--ip', '2001:db8::7', '--client', 'agent', '--grant', grant.toUpperCase()],
      ...['--session', grant, '--stream', grant, '--actor', 'client:someone', '--type', 'grant.*', '--type', 'account.erased'],
      ...['--trace', '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01', '--commit', grant, '--from', '7'],
      ...['--to', '2026-11-07T14:03:00+01:00', '--order', 'oldest', '--limit', '3'],
    ];
    expect(await ask('events', ...filter)).toMatchObject({ code: 0 });
    expect(server.asked).toEqual([
      {
        method: 'POST',
        url: '/along/audit/events',
        authorization: `Bearer ${secret}`,
        body: {
          email: 'person@example.com',
          ip: '2001:db8::7',
          clientId: 'agent',
          grant,
          session: grant,
          stream: grant,
          actor: 'someone',
          actorKind: 'client',
          type: 'grant.*,account.erased',
          trace: '0123456789abcdef0123456789abcdef',
          commit: grant,
          from: 7,
          until: '2026-11-07T14:03:00+01:00',
          order: 'oldest',
          limit: 3,
        },
      },
    ]);
  });

  test('takes an account by its id, an actor without a kind, and how long ago', async () => {
    server.answers(page([]));
    const { code, notes } = await ask('events', '--account', account, '--actor', 'command line', '--from', '2h');
    expect({ code, notes }).toEqual({ code: 0, notes: 'No events fit, of those up to position 9.' });
    const { since, ...rest } = server.asked[0]?.body ?? {};
    expect(rest).toEqual({ account, actor: 'command line', order: 'newest', limit: 50 });
    expect(Math.abs(Date.now() - 7_200_000 - Date.parse(String(since)))).toBeLessThan(10_000);
  });

  test('follows pages that are short until the limit, and says that there may be more', async () => {
    server.answers((asked, response) => {
      const cursor = Number(asked.body['cursor'] ?? 0);
      page(cursor === 1 ? [] : [event(cursor + 1)], cursor + 1)(asked, response);
    });
    const { lines, notes } = await ask('events', '--limit', '3');
    expect(server.asked.map(({ body }) => [body['cursor'], body['limit']])).toEqual([
      [undefined, 3],
      [1, 2],
      [2, 2],
      [3, 1],
    ]);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^ POSITION {2}TIME +TYPE +STREAM +BY$/);
    expect(lines[1]).toMatch(/^ {8}1 {2}2026-11-07T14:03:00.000Z {2}grant.authorized +01890000-\S+ {2}client somebody$/);
    expect(notes).toContain('--limit 30');
  });

  test('prints lines of JSON, or paragraphs in which nobody can forge a line', async () => {
    server.answers(page([event(1, { name: 'Agent\u001b[2J\n2026-11-07T14:03:00.000Z  position 2  \u202e', scopes: ['read'] })]));
    expect((await ask('events', '--json')).lines.map((line) => JSON.parse(line).position)).toEqual([1]);
    const { lines } = await ask('events', '--details');
    expect(lines).toHaveLength(4);
    expect(lines[2]).toBe('    name: Agent\ufffd[2J\ufffd2026-11-07T14:03:00.000Z  position 2  \ufffd');
  });
});

test('grantlog audit count tells the types and the total, and where it is no total', async () => {
  const types = [
    { type: 'grant.revoked', count: 2 },
    { type: 'grant.refreshed', count: 40 },
  ];
  server.answers(json(200, { count: 42, isExact: true, types, through: 9 }));
  expect((await ask('count', '--type', 'grant.*')).lines).toEqual(['grant.refreshed  40', 'grant.revoked     2', 'total            42']);
  expect(server.asked[0]).toMatchObject({ url: '/along/audit/events/count', body: { type: 'grant.*' } });
  server.answers(json(200, { count: 42, isExact: false, types, through: 9 }));
  expect((await ask('count')).lines.at(-1)).toBe('at least         42');
  expect(JSON.parse((await ask('count', '--json')).out)).toMatchObject({ count: 42 });
});

describe('grantlog audit export', () => {
  const lines = Array.from({ length: 20_000 }, (_, n) => JSON.stringify(event(n, { name: 'ä'.repeat(20) })));
  const whole = `${lines.join('\n')}\n`;
  const left = async (name: string): Promise<readonly string[]> => (await readdir(folder)).filter((each) => each.startsWith(name));

  test('writes what comes, byte for byte, for its owner alone, and prints the same', async () => {
    server.answers((_, response) => void response.end(whole));
    const path = join(folder, 'whole');
    expect(await ask('export', '--output', path, '--format', 'csv', '--account', 'person@example.com')).toMatchObject({
      code: 0,
      notes: expect.stringContaining('20000 lines'),
    });
    expect(server.asked[0]).toMatchObject({ url: '/along/audit/events/export', body: { format: 'csv', email: 'person@example.com' } });
    expect(await readFile(path, 'utf8')).toBe(whole);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await left('whole')).toEqual(['whole']);
    expect((await ask('export', '--format', 'excerpt')).out).toBe(lines.join('\n'));
    expect(server.asked[1]).toMatchObject({ body: { format: 'excerpt' } });
  });

  test.each([
    ['breaks off', 'broke off', (response: { destroy: () => void }) => response.destroy()],
    ['ends within a line', 'not whole', (response: { end: () => void }) => response.end()],
  ])('leaves nothing of an answer that %s, and says so', async (_, words, end) => {
    server.answers((_asked, response) => void response.write(whole.slice(0, -5), () => setTimeout(() => end(response), 50)));
    const path = join(folder, 'broken');
    expect(await ask('export', '--output', path)).toMatchObject({ code: 1, notes: expect.stringContaining(words) });
    expect(await left('broken')).toEqual([]);
    expect(await ask('export')).toMatchObject({ code: 1, notes: expect.stringContaining(words) });
  });

  test('reads on when there is room for more lines, and not before', async () => {
    let room = 0;
    let sent = 0;
    server.answers(async (_, response) => {
      for (; sent < 200; sent += 1) if (!response.write(whole)) await new Promise((resolve) => response.once('drain', resolve));
      response.end();
    });
    const stuck = runAudit(['export', '--url', server.issuer], { GRANTLOG_AUDIT_TOKEN: secret }, () => {
      room += 1;
      return room === 3 ? new Promise(() => {}) : Promise.resolve();
    });
    await expect(Promise.race([stuck, new Promise((resolve) => setTimeout(resolve, 1_000, 'waits'))])).resolves.toBe('waits');
    expect([room, sent < 199]).toEqual([3, true]);
  });

  test('writes over nothing, and says where it cannot write', async () => {
    server.answers((_, response) => void response.end(whole));
    const path = join(folder, 'kept');
    await writeFile(path, 'evidence');
    expect(await ask('export', '--output', path)).toMatchObject({ code: 1, notes: expect.stringContaining('already') });
    expect(server.asked).toEqual([]);
    expect(await readFile(path, 'utf8')).toBe('evidence');
    expect(await ask('export', '--output', join(folder, 'nowhere', 'file'))).toMatchObject({
      code: 1,
      notes: expect.stringContaining('its folder'),
    });
  });
});

describe('what was', () => {
  test('is asked of an account by its email, which stands in no URL', async () => {
    server.answers((asked, response) =>
      asked.method === 'POST'
        ? page([{ ...event(1), streamId: account }])(asked, response)
        : json(200, { account: { accountId: account, status: 'active', reason: null }, isErasedSince: true, at, events: [] })(
            asked,
            response,
          ),
    );
    const { code, out } = await ask('account', 'person@example.com', '--at', '9');
    expect(code).toBe(0);
    expect(out).toContain(`Account ${account} at position 9, 2026-11-07T14:03:00.000Z\n  accountId: ${account}\n  status: active\n`);
    expect(out).toContain('erased since');
    expect(server.asked.map(({ url }) => url)).toEqual(['/along/audit/events', `/along/audit/accounts/${account}?at=9`]);
    server.answers(page([]));
    expect(await ask('account', 'nobody@example.com')).toMatchObject({ code: 1, notes: expect.stringContaining('No account there') });
  });

  test('is asked of a client whose id is a URL, and of a grant', async () => {
    server.answers(json(200, { client: { clientId: 'https://client.example/x?y', status: 'active' }, at, events: [event(1)] }));
    expect((await ask('client', 'https://client.example/x?y')).out).toContain('Made so by 1 events');
    expect(server.asked[0]?.url).toBe('/along/audit/clients/https%3A%2F%2Fclient.example%2Fx%3Fy');
    server.answers(json(200, { grant: { grantId: grant, standing: 'good' }, at, events: [] }));
    expect((await ask('grant', grant, '--at', '2026-11-07T14:03:00Z')).out).toContain('standing: good');
    expect(server.asked[0]?.url).toBe(`/along/audit/grants/${grant}?at=2026-11-07T14%3A03%3A00Z`);
    expect(JSON.parse((await ask('grant', grant, '--json')).out)).toMatchObject({ grant: { standing: 'good' } });
  });

  test('is one moment for all pages of the grants that could act', async () => {
    const live = { grantId: grant, clientId: 'agent', account, scopes: ['read'], authorizedAt: at.time };
    server.answers((asked, response) => json(200, { at, grants: [live], next: asked.url.includes('cursor') ? null : 4 })(asked, response));
    const { lines, notes } = await ask('grants', '--client', 'agent', '--account', account);
    expect(lines).toEqual([`${grant}  ${at.time}  agent  ${account}  read`, `${grant}  ${at.time}  agent  ${account}  read`]);
    expect(notes).toBe(`2 grants could act at position 9, ${at.time}.`);
    const [first, second] = server.asked.map(({ url }) => new URL(url, server.issuer).searchParams);
    expect([first?.get('at'), first?.get('clientId'), second?.get('at'), second?.get('cursor')]).toEqual([null, 'agent', at.time, '4']);
  });

  test('is asked of a token from a file, which is shown nowhere; 3 is the answer for one that was not good', async () => {
    const path = join(folder, 'leaked');
    await writeFile(path, `${leaked}\n`);
    server.answers(json(200, { at, isGood: false, reason: 'it has expired', kind: null, scopes: [], grant: null }));
    const { code, out, notes } = await ask('token', path, '--at', '9');
    expect({ code, out, notes }).toEqual({ code: 3, out: `The token was not good at position 9, ${at.time}: it has expired`, notes: '' });
    expect(server.asked[0]).toMatchObject({ url: '/along/audit/token', body: { token: leaked, at: '9' } });
    server.answers(json(200, { at, isGood: true, reason: null, kind: 'access', scopes: ['read'], grant: { grantId: grant } }));
    expect(await ask('token', path)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`kind: access\n  scopes: read\nIts grant\n  grantId: ${grant}`),
    });
  });

  test('is told of a lineage with what was exchanged and who was told', async () => {
    const delivery = { type: 'grant.revoked', position: 2, endpointId: account, status: 'delivered', attempts: 1 };
    server.answers(json(200, { grantId: grant, exchanged: [account], isWhole: false, events: [event(1)], deliveries: [delivery] }));
    const { out } = await ask('lineage', grant);
    for (const part of [`exchange from it: grant ${account}`, 'may be missing', 'position 1', 'delivered after 1 attempts'])
      expect(out).toContain(part);
  });
});

describe('what is signed', () => {
  test('is shown without a token', async () => {
    server.answers(json(200, { origin: 'along/audit', verifierKey: 'along+key', size: 4 }));
    expect((await ask('tree')).lines).toEqual([
      `Tree of ${server.issuer}`,
      '  origin: along/audit',
      '  verifierKey: along+key',
      '  size: 4',
    ]);
    expect(server.asked[0]).toMatchObject({ url: '/along/audit/tree', authorization: null });
  });

  test('is kept byte for byte, a receipt or a checkpoint', async () => {
    server.answers((_, response) => void response.end('a note\n\n— key sig\n'));
    expect((await ask('receipt', '4')).out).toBe('a note\n\n— key sig');
    for (const [name, ...argv] of [
      ['receipt', 'receipt', '4'],
      ['checkpoint', 'tree', 'checkpoint'],
    ]) {
      const path = join(folder, name ?? '');
      expect((await ask(...argv, '--output', path)).code).toBe(0);
      expect(await readFile(path, 'utf8')).toBe('a note\n\n— key sig\n');
    }
    expect(server.asked.map(({ url }) => url)).toEqual([
      '/along/audit/receipts/4',
      '/along/audit/receipts/4',
      '/along/audit/tree/checkpoint',
    ]);
  });
});
