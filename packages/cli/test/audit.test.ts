import { mintToken, randomToken, uuidv7 } from '@grantlog/crypto';
import { parsePlatformDocument, type SessionId } from '@grantlog/domain';
import type { CommitId, NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { createDatabase, migrate } from '@grantlog/postgres';
import { configurePlatform, sessionGrant } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { dispatch } from '../src/command.ts';
import { auditCommand } from '../src/commands/audit.ts';
import { openProvisioning } from '../src/index.ts';

const platform = 'clinic' as PlatformId;
const by = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' } as const;
const session = uuidv7(Date.now()) as SessionId;
const unanswered = uuidv7(Date.now()) as SessionId;
const grant = sessionGrant(session);
const terms = {
  client: '00000000-0004-8000-8000-000000000001',
  clientId: 'agent',
  scopes: ['openid', 'read'],
  resources: ['https://clinic.example/mcp'],
};

let databaseUrl: string;
let context: ReturnType<typeof openProvisioning>;
const append = async (streamId: StreamId, expected: number, ...events: readonly NewEvent[]): Promise<void> => {
  const commit = { commitId: crypto.randomUUID() as CommitId, writes: [{ streamId, expected, events }], reads: [], ...by };
  expect((await context.log.append(platform, commit)).outcome).toBe('appended');
};
const started = (): NewEvent => ({
  type: 'session.started',
  data: {
    ...terms,
    via: 'init_signup',
    codeChallenge: null,
    expiresAt: 1,
    intervalSeconds: 5,
    tokenKeyId: 1,
    tokenNonce: randomToken(32),
  },
  personal: new TextEncoder().encode('203.0.113.7, sealed'),
});

beforeAll(async () => {
  databaseUrl = await createDatabase({ connectionString: inject('databaseUrl'), name: `audit_${crypto.randomUUID().replaceAll('-', '')}` });
  await migrate({ connectionString: databaseUrl });
  context = openProvisioning({ connectionString: databaseUrl, secrets: ['a-secret-of-the-test-run-long-enough'] });
  for (const name of [platform, 'practice']) {
    const parsed = parsePlatformDocument({ name, displayName: 'Clinic', scopes: [{ name: 'read', description: 'Read' }] });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    await configurePlatform(context, by, parsed.document);
  }
  const account = '00000000-0003-8000-8000-000000000001';
  await append(session, 0, started());
  await append(session, 1, { type: 'session.linked', data: { account, signIn: '01890000-0000-7000-8000-000000000001' } });
  await append(grant, 0, { type: 'grant.authorized', data: { ...terms, flow: 'device_code', account, code: null, issue: null } });
  await append(session, 2, { type: 'session.redeemed', data: {} });
  await append(grant, 1, { type: 'grant.code_redeemed', data: { issue: { scopes: [1], resource: 0, sequence: 1 } } });
  await append(unanswered, 0, started());
});
afterAll(() => context.close());

const audit = async (...argv: readonly string[]) => {
  const lines: string[] = [];
  const notes: string[] = [];
  const code = await dispatch([auditCommand], ['audit', ...argv], {
    environment: { DATABASE_URL: databaseUrl },
    out: (line) => lines.push(line),
    note: (line) => notes.push(line),
  });
  return { code, lines, out: lines.join('\n'), notes: notes.join('\n') };
};

describe('grantlog audit session', () => {
  test('tells a session and its grant as one story, in the order of the log', async () => {
    const { code, lines, out } = await audit('session', session);
    expect(code).toBe(0);
    expect(lines.slice(0, 2)).toEqual([`Session ${session} of platform clinic, 3 events`, `Grant ${grant}, 2 events`]);
    expect(lines.flatMap((line) => /version \d+ {2}(\S+)$/.exec(line)?.[1] ?? [])).toEqual([
      'session.started',
      'session.linked',
      'grant.authorized',
      'session.redeemed',
      'grant.code_redeemed',
    ]);
    expect(out).toContain('issue: { scopes: read, resource: https://clinic.example/mcp, sequence: 1 }');
    for (const untold of ['Nonce', '203.0.113.7']) expect(out).not.toContain(untold);
  });

  test('says where no grant was opened', async () => {
    expect((await audit('session', unanswered.toUpperCase())).lines.slice(0, 2)).toEqual([
      `Session ${unanswered} of platform clinic, 1 events`,
      'No grant was opened for it',
    ]);
  });

  test.each([
    ['of a platform that does not have it', () => ['session', session, '--platform', 'practice']],
    ['that is a grant’s', () => ['session', grant]],
    ['that nothing stands under', () => ['session', '01890000-0000-7000-8000-000000000009']],
  ])('knows no session %s', async (_, argv) => {
    const { code, notes, out } = await audit(...argv());
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(notes).toMatch(/No platform has a session .*Check the id/s);
  });

  test('does not repeat the secret that an agent calls its sessionId, and says which id it stands for', async () => {
    const token = mintToken({
      prefix: 'tst',
      kind: 'session',
      platform,
      key: new Uint8Array(32),
      nonce: new Uint8Array(32),
      payload: { streamId: session, sequence: 0, expiresAt: 1, keyId: 1, scopes: [], resource: null },
    });
    const { code, notes } = await audit('session', token);
    expect(code).toBe(2);
    expect(notes).toContain(`has the id ${session}`);
    expect(notes).not.toContain(token);
  });

  test('asks which, and knows a grant from a session', async () => {
    expect(await audit('nonsense', session)).toMatchObject({ code: 2, notes: expect.stringContaining('grantlog audit session <id>') });
    expect(await audit('account', session)).toMatchObject({ code: 2, notes: expect.stringContaining('Say whose audit trail') });
    expect(await audit('session')).toMatchObject({ code: 2 });
    expect(await audit('grant', session)).toMatchObject({ code: 1, notes: expect.stringContaining('No platform has a grant') });
    expect(await audit('grant', grant)).toMatchObject({ code: 0, out: expect.stringContaining('grant.code_redeemed') });
  });
});
