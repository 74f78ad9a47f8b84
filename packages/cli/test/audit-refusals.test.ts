import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintToken, uuidv7 } from '@grantlog/crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { announce } from '../src/launcher/running.ts';
import { statePaths } from '../src/launcher/state-directory.ts';
import { tryLock } from '../src/processes/lock.ts';
import { writeDemo } from '../src/seed/demo-file.ts';
import { fakeAudit, json, runAudit } from './support/fake-audit.ts';

const secret = 'glog_token-of-an-auditor';
const leaked = mintToken({
  prefix: 'tst',
  kind: 'access',
  platform: 'along',
  key: new Uint8Array(32),
  nonce: new Uint8Array(32),
  payload: { streamId: uuidv7(Date.now()), sequence: 0, expiresAt: 1, keyId: 1, scopes: [], resource: null },
});
const nothing = json(200, { events: [], next: null, through: 9, current: true });

let server: Awaited<ReturnType<typeof fakeAudit>>;
let folder: string;
beforeAll(async () => {
  server = await fakeAudit();
  folder = await mkdtemp(join(tmpdir(), 'grantlog-refusals-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const ask = (...argv: readonly string[]) => runAudit([...argv, '--url', server.issuer], { GRANTLOG_AUDIT_TOKEN: secret });

describe('a wrong command line', () => {
  test.each([
    [['events', '--account', 'nobody'], 'not the id of an account, nor an email'],
    [['events', '--grant', 'x'], 'not the id of a grant'],
    [['events', '--from', 'yesterday'], '--from is neither a position'],
    [['events', '--to', '2026-11-07T14:03:00'], '--to is neither a position'],
    [['events', '--limit', '0'], '--limit is a whole number'],
    [['events', '--order', 'up'], '--order is newest or oldest'],
    [['events', '--json', '--details'], 'leave --details out'],
    [['events', '--follow'], "'--follow'"],
    [['export', '--format', 'xml'], '--format is one of ndjson, csv, excerpt'],
    [['account'], 'grantlog audit account <id|email>'],
    [['client', leaked], 'That is a token'],
    [['grant', leaked, '--at', '9'], 'That is a token'],
    [['token', leaked], 'That is a token'],
    [['grants', '--at', 'now'], '--at is neither a position'],
    [['lineage'], 'grantlog audit lineage <grant id>'],
    [['receipt', '0'], 'such as 1042'],
    [['tree', 'leaf'], 'grantlog audit tree checkpoint'],
    [['token', '--token-file', '-'], 'Standard input can be one token'],
  ])('%s is answered with what is wrong, the usage of its own and 2', async (argv, words) => {
    server.answers(nothing);
    const { code, notes } = await ask(...argv);
    expect({ code, asked: server.asked.length }).toEqual({ code: 2, asked: 0 });
    expect(notes).toContain(words);
    expect(notes).toContain(`\n\ngrantlog audit ${argv[0]}`);
    expect(notes).not.toContain(leaked);
  });

  test.each([
    ['http://auth.example.com/along', 'could read the token'],
    ['auth.example.com/along', 'no URL of an issuer'],
    ['https://user:word@auth.example.com/along', 'no URL of an issuer'],
    ['https://auth.example.com/along?x', 'no URL of an issuer'],
    ['https://auth.example.com/along/audit/tree', 'the issuer alone'],
  ])('the URL %s is refused before a token goes there', async (url, words) => {
    expect(await runAudit(['events', '--url', url], { GRANTLOG_AUDIT_TOKEN: secret })).toMatchObject({
      code: 2,
      notes: expect.stringContaining(words),
    });
  });

  test('names one audit trail, neither none nor two', async () => {
    expect(await runAudit(['events'])).toMatchObject({ code: 2, notes: expect.stringContaining('Say whose audit trail') });
    expect(await ask('events', '--platform', 'along')).toMatchObject({ code: 2, notes: expect.stringContaining('leave --platform out') });
    expect(await runAudit(['events', '--platform', 'A/B'])).toMatchObject({ code: 2 });
  });

  test('is explained by each subcommand, and by help', async () => {
    expect((await runAudit(['--help'])).out).toMatch(/ {2}events +list events/);
    for (const name of ['events', 'count', 'export', 'grant', 'client', 'account', 'grants', 'token', 'lineage', 'receipt', 'tree']) {
      const { code, out } = await runAudit([name, '--help']);
      expect([name, code, out.startsWith(`grantlog audit ${name}`)]).toEqual([name, 0, true]);
      expect(out.split('\n').filter((line) => line.length > 140)).toEqual([]);
    }
  });
});

describe('a token', () => {
  const events = (argv: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    runAudit(['events', '--url', server.issuer, ...argv], environment);

  test('comes from a file before the environment, or from a file that the environment names', async () => {
    const path = join(folder, 'token');
    await writeFile(path, `${secret}-of-a-file\n`);
    server.answers(nothing);
    await events(['--token-file', path], { GRANTLOG_AUDIT_TOKEN: secret });
    await events([], { GRANTLOG_AUDIT_TOKEN_FILE: path });
    expect(server.asked.map(({ authorization }) => authorization)).toEqual([`Bearer ${secret}-of-a-file`, `Bearer ${secret}-of-a-file`]);
  });

  test('is asked for where there is none, and not repeated where it is none', async () => {
    server.answers(nothing);
    const empty = join(folder, 'empty');
    await writeFile(empty, '\n');
    for (const [argv, environment, words] of [
      [[], {}, 'tells nothing without a token'],
      [[], { GRANTLOG_AUDIT_TOKEN: 'two canaries' }, 'holds is no access token'],
      [['--token-file', join(folder, 'none')], {}, 'cannot be read (ENOENT)'],
      [['--token-file', empty], {}, 'is empty'],
    ] as const) {
      const { code, notes } = await events(argv, environment);
      expect([code, notes]).toEqual([1, expect.stringContaining(words)]);
      expect(notes).not.toContain('canaries');
    }
    expect(await events(['--token-file', leaked])).toMatchObject({ code: 2, notes: expect.not.stringContaining(leaked) });
    expect(server.asked).toEqual([]);
  });
});

describe('the instance here', () => {
  const here = (environment: Readonly<Record<string, string>> = {}) =>
    runAudit(['events', '--platform', 'along'], { DATA_DIR: folder, ...environment });

  test('is asked for where none runs', async () => {
    expect(await here()).toMatchObject({ code: 1, notes: expect.stringMatching(/No instance runs here[\s\S]*run start/) });
  });

  test('is asked as its operator, or with the token that is given', async () => {
    const paths = statePaths(folder);
    const held = await tryLock(paths.lock);
    const { origin: url } = new URL(server.issuer);
    await announce(paths, { pid: process.pid, url, logs: '', connectionString: '' });
    try {
      server.answers(json(401, { error: 'invalid_client' }));
      expect(await here()).toMatchObject({ code: 1, notes: expect.stringContaining('kept no credentials') });
      const machine = { client_id: 'machine', client_secret: 'canary' };
      await writeDemo(paths.demo, { url, operator: { email: 'o@example.com', password: 'canary', client: machine }, platforms: {} });
      const refused = await here();
      expect(refused).toMatchObject({ code: 1, notes: expect.stringMatching(/was given no token[\s\S]*start it again/) });
      expect(refused.notes).not.toContain('canary');
      server.answers(nothing);
      expect(await here({ GRANTLOG_AUDIT_TOKEN: secret })).toMatchObject({ code: 0 });
      expect(server.asked).toMatchObject([{ url: '/along/audit/events', authorization: `Bearer ${secret}` }]);
    } finally {
      if (held.outcome === 'acquired') await held.release();
    }
  });
});

describe('a server', () => {
  test.each([
    [401, { code: 'invalid_token', detail: 'The access token is invalid, expired or revoked' }, 'client_credentials with scope=audit'],
    [403, { code: 'insufficient_scope', detail: 'The access token lacks the scope audit' }, 'get the token with scope=audit'],
    [403, { code: 'role_required', role: 'auditor:along', detail: 'This needs the role' }, 'the role auditor:along'],
    [404, { code: 'unknown_platform', detail: 'No such platform' }, 'check the platform'],
    [404, { error: 'not_found' }, 'check the platform'],
    [404, { code: 'unknown_grant', detail: 'No such grant stood at that moment' }, 'check the id, and the moment'],
    [404, { code: 'not_signed_yet', detail: 'The tree has not been signed so far yet' }, 'let a worker run'],
    [405, { code: 'invalid_request' }, 'version of this command'],
    [422, { code: 'unreadable_address', detail: 'ip is no address' }, 'ip is no address'],
    [503, { code: 'temporarily_unavailable', detail: 'Try again' }, 'in a moment'],
    [500, { code: 'server_error', instance: 'a-request' }, '(request a-request)'],
  ])('that answers %i %j is told with what to do', async (status, body, words) => {
    server.answers(json(status, body));
    const { code, notes } = await ask('events');
    expect(code).toBe(1);
    expect(notes).toContain(`was answered with ${status}`);
    expect(notes).toContain(words);
    expect(notes).not.toContain(secret);
  });

  test('that is no audit trail, sends elsewhere or cannot be reached is told as such', async () => {
    server.answers((_, response) => void response.end('<html>'));
    expect(await ask('events')).toMatchObject({ code: 1, notes: expect.stringContaining('not as an audit trail does') });
    server.answers(json(200, { hello: 'world' }));
    expect(await ask('count')).toMatchObject({ code: 1, notes: expect.stringContaining('not as an audit trail does') });
    server.answers((_, response) => void response.writeHead(302, { location: '/elsewhere' }).end());
    expect(await ask('events')).toMatchObject({ code: 1, notes: expect.stringContaining('cannot be asked') });
    expect(server.asked).toHaveLength(1);
    const nobody = await runAudit(['events', '--url', 'http://127.0.0.1:9/along'], { GRANTLOG_AUDIT_TOKEN: secret });
    expect(nobody).toMatchObject({ code: 1, notes: expect.stringMatching(/cannot be asked .*Fix: check --url/s) });
  });
});
