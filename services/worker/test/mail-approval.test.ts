import { createDataKey, sealPersonal, standingId } from '@grantlog/crypto';
import { type AccountId, type ClientStreamId, parsePlatformDocument, platformStream, standingKinds } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { consumeOnce, deleteDataKeys, insertDataKey, transaction } from '@grantlog/postgres';
import { type Mail, openMail, sealDataKey } from '@grantlog/provisioning';
import { describe, expect, test } from 'vitest';
import { createTellDevelopers } from '../src/mail/tell-developers.ts';
import { useScene } from './support/scene.ts';
import { platform } from './support/world.ts';

const scene = useScene();

const developer = async (email: string): Promise<AccountId> => {
  const { append, api, sealer } = scene.world();
  const subject = standingId(standingKinds.account) as AccountId;
  const dataKey = createDataKey();
  await insertDataKey(api, { platform, subject, sealed: sealDataKey(sealer, { platform, subject, dataKey }) });
  const personal = sealPersonal({ dataKey, platform, streamId: subject, version: 1, fields: { email, name: 'Ada' } });
  const data = { emailName: standingId(standingKinds.name), kind: 'person', emailVerified: true };
  await append(subject, { type: 'account.registered', data, personal });
  return subject;
};

const app = async (owner: AccountId | null | undefined): Promise<ClientStreamId> => {
  const id = standingId(standingKinds.client) as ClientStreamId;
  const data = { clientId: 'calendar-1', name: 'Calendar\r\nSync', kind: 'public', approval: 'pending', secretCredential: null };
  await scene.world().append(id, { type: 'client.registered', data: owner === undefined ? data : { ...data, owner } });
  return id;
};

const approve = (id: ClientStreamId): Promise<number> => scene.world().append(id, { type: 'client.approved', data: {} });
const reject = (id: ClientStreamId, reason: string): Promise<number> =>
  scene.world().append(id, { type: 'client.rejected', data: { reason } });

const telling = (now = Date.now) => createTellDevelopers({ sealer: scene.world().sealer, publicUrl: 'http://localhost:4000', now });
const consume = async (subscription = telling()): Promise<void> => {
  const { pool } = scene.world();
  await pool.query('insert into subscription (name, platform) select $1, platform from log on conflict do nothing', [subscription.name]);
  for (;;) {
    const outcome = await consumeOnce(pool, [subscription]);
    if (outcome.kind === 'failed') throw outcome.error;
    if (outcome.kind === 'idle') return;
  }
};
const readAgain = (): Promise<unknown> => scene.world().pool.query('update subscription set position = 0');

type Written = Mail & { readonly id: string; readonly account: string | null };
const written = async (): Promise<readonly Written[]> => {
  const { pool, sealer } = scene.world();
  const { rows } = await pool.query<{ platform: PlatformId; id: string; account: string | null; sealed: Buffer }>(
    'select platform, id, account, sealed from mail order by id',
  );
  return rows.map((row) => ({ id: row.id, account: row.account, ...openMail(sealer, row) }));
};

describe('a developer is written', () => {
  test('that their app was approved, and how to start', async () => {
    const ada = await developer('ada@mail.example');
    await approve(await app(ada));
    await consume();
    const [mail, ...others] = await written();
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ to: 'ada@mail.example', account: ada, subject: 'Arlo: your app was approved' });
    expect(mail?.text).toContain('"Calendar Sync" (calendar-1)');
    expect(mail?.text).toContain('http://localhost:4000/arlo/.well-known/oauth-authorization-server');
  });

  test('the discovery URL of an issuer of its own, as an OpenID provider has it', async () => {
    const parsed = parsePlatformDocument({
      name: platform,
      displayName: 'Arlo',
      scopes: [{ name: 'openid', description: 'Know who you are' }],
      issuer: 'https://id.arlo.example',
      hosts: ['id.arlo.example'],
      documentation: 'https://docs.arlo.example/',
    });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    await scene.world().append(platformStream, { type: 'platform.configured', data: { document: parsed.document } });
    await approve(await app(await developer('ada@mail.example')));
    await consume();
    const [mail] = await written();
    expect(mail?.text).toContain('https://id.arlo.example/.well-known/openid-configuration');
    expect(mail?.text).toContain('https://docs.arlo.example/');
  });

  test('that it was refused, why, and what to do', async () => {
    await reject(await app(await developer('ada@mail.example')), 'redirect_uris');
    await consume();
    const [mail] = await written();
    expect(mail?.subject).toBe('Arlo: your app was not approved');
    expect(mail?.text).toContain('The reason (redirect_uris): Its redirect URIs are not acceptable.');
    expect(mail?.text).toContain('Change its settings: that submits it again');
  });

  test('that a change of it was refused, and that it works on', async () => {
    const id = await app(await developer('ada@mail.example'));
    await approve(id);
    await scene.world().append(id, { type: 'client.change_proposed', data: { changes: { name: 'Other' } } });
    await scene.world().append(id, { type: 'client.change_rejected', data: { reason: 'unspecified' } });
    await consume();
    const [, mail] = await written();
    expect(mail?.text).toContain('The operator gave no reason.');
    expect(mail?.text).toContain('works on as it was');
  });

  test('once a decision, however often the log is read', async () => {
    const id = await app(await developer('ada@mail.example'));
    await reject(id, 'scopes');
    await consume();
    await approve(id);
    await consume();
    const before = await written();
    await readAgain();
    await consume();
    expect(before.map((mail) => mail.subject)).toEqual(['Arlo: your app was not approved', 'Arlo: your app was approved']);
    expect(await written()).toEqual(before);
  });

  test('nothing in the clear in the table', async () => {
    await approve(await app(await developer('ada@mail.example')));
    await consume();
    const { rows } = await scene.world().pool.query<{ text: string; sealed: Buffer }>('select mail::text as text, sealed from mail');
    expect(rows[0]?.text).not.toMatch(/ada@|Calendar|mail\.example/);
    expect(rows[0]?.sealed.toString('latin1')).not.toMatch(/ada@|Calendar/);
  });
});

describe('nobody is written', () => {
  test.each([undefined, null])('of an app without a developer (%s)', async (owner) => {
    await approve(await app(owner));
    await consume();
    expect(await written()).toEqual([]);
  });

  test('who was erased, also while the data key is still there', async () => {
    const ada = await developer('ada@mail.example');
    await approve(await app(ada));
    await scene.world().append(ada, { type: 'account.erased', data: {} });
    await consume();
    expect(await written()).toEqual([]);
  });

  test('whose data key is gone', async () => {
    const ada = await developer('ada@mail.example');
    await approve(await app(ada));
    await transaction(scene.world().pool, (client) => deleteDataKeys(client, { platform, subjects: [ada] }));
    await consume();
    expect(await written()).toEqual([]);
  });

  test('of an app that was deleted meanwhile', async () => {
    const id = await app(await developer('ada@mail.example'));
    await approve(id);
    await scene.world().append(id, { type: 'client.deleted', data: {} });
    await consume();
    expect(await written()).toEqual([]);
  });

  test('of what an operator decided more than a week ago', async () => {
    await approve(await app(await developer('ada@mail.example')));
    await consume(telling(() => Date.now() + 8 * 86_400_000));
    expect(await written()).toEqual([]);
  });
});
