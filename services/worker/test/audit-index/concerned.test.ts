import { standingId } from '@grantlog/crypto';
import { standingKinds } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';
import { listAuditEvents } from '@grantlog/read-models';
import { expect, test } from 'vitest';
import { useScene } from '../support/scene.ts';
import { allPages, clinic, newAccount, newClient, newStream, openAudit } from './support.ts';

const scene = useScene();
const url = 'https://agent.example/hook';

test('an event concerns whom its stream concerned before it, and whom it names from then on', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  const { agents } = audit;
  const from = (await audit.head()) + 1;
  const account = newAccount();
  const { session, endpoint } = await agents.begin({ url });
  const grant = await agents.link(session, account);
  await agents.append(
    grant,
    { type: 'grant.refreshed', data: { issue: {} } },
    { type: 'grant.revoked', data: { reason: 'by_operator', by: null } },
  );
  await agents.append(session, { type: 'session.redeemed', data: {} });
  await agents.append(
    endpoint,
    { type: 'webhook_endpoint.subject_removed', data: { account } },
    { type: 'webhook_endpoint.deleted', data: {} },
  );
  // Each batch but the first goes on with streams of a batch before.
  await audit.catchUp({ ...audit.index, batchLimit: 2 });
  const { entries } = await allPages(world, { order: 'oldest', filter: { from } });
  const client = entries[0]?.client;
  const session_ = { session, client, account: null, grant: null };
  const linked = { ...session_, account };
  const ofGrant = { ...linked, grant };
  expect(
    entries.map(({ type, account: who, client: of, session: in_, grant: by }) => [
      type,
      { session: in_, client: of, account: who, grant: by },
    ]),
  ).toEqual([
    ['session.started', session_],
    ['session.webhook_registered', session_],
    ['webhook_endpoint.registered', session_],
    ['session.linked', linked],
    ['grant.authorized', ofGrant],
    ['grant.refreshed', ofGrant],
    ['grant.revoked', ofGrant],
    ['session.redeemed', linked],
    ['webhook_endpoint.subject_removed', linked],
    ['webhook_endpoint.deleted', session_],
  ]);
  expect(client).not.toBeNull();
});

test('what is said of an account or a client concerns it, and a name whoever claims it', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  const from = (await audit.head()) + 1;
  const [account, client, grant, signIn] = [newAccount(), newClient(), newStream(), newStream()];
  const name = () => standingId(standingKinds.name) as StreamId;
  const [email, metadata, consent] = [name(), name(), name()];
  const claim = (owner: StreamId) => [{ type: 'name.claimed', data: { kind: 'email', owner } }];
  await audit.append([
    { streamId: account, events: [{ type: 'account.registered', data: {} }] },
    { streamId: email, events: claim(account) },
    {
      streamId: client,
      events: [
        { type: 'client.registered', data: {} },
        { type: 'client.grants_revoked', data: {} },
      ],
    },
    { streamId: metadata, events: claim(client) },
    { streamId: consent, events: claim(grant) },
    { streamId: signIn, events: [{ type: 'sign_in.failed', data: { account: null, reason: 'unknown_account' } }] },
  ]);
  await audit.append([{ streamId: email, expected: 1, events: [{ type: 'name.released', data: {} }] }]);
  await audit.catchUp();
  const { entries } = await allPages(world, { order: 'oldest', filter: { from } });
  const none = [null, null];
  expect(entries.map((entry) => [entry.type, entry.account, entry.client])).toEqual([
    ['account.registered', account, null],
    ['name.claimed', account, null],
    ['client.registered', null, client],
    ['client.grants_revoked', null, client],
    ['name.claimed', null, client],
    ['name.claimed', ...none],
    ['sign_in.failed', ...none],
    ['name.released', account, null],
  ]);
});

test('an event of a type that nobody here knows has its entry, and its stream goes on as before', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  const [grant, account, client] = [newStream(), newAccount(), newClient()];
  const terms = { client, account, session: null };
  await audit.append([
    {
      streamId: grant,
      events: [
        { type: 'grant.authorized', data: terms },
        { type: 'grant.beamed_up', data: {} },
        { type: 'grant.refreshed', data: {} },
      ],
    },
  ]);
  await audit.catchUp();
  const { entries } = await allPages(world, { order: 'oldest', filter: { account } });
  expect(entries.map((entry) => [entry.type, entry.client, entry.grant])).toEqual([
    ['grant.authorized', client, grant],
    ['grant.beamed_up', client, grant],
    ['grant.refreshed', client, grant],
  ]);
});

test('an entry says who did it, in which commit and under which trace', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  const [account, commitId] = [newAccount(), '0c0ffee0-0000-4000-8000-000000000001' as never];
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const actor = { kind: 'operator', id: account } as const;
  await audit.append([{ streamId: account, events: [{ type: 'account.registered', data: {} }] }], {
    actor,
    commitId,
    correlationId: `00-${trace}-00f067aa0ba902b7-01`,
  });
  await audit.append([{ streamId: account, expected: 1, events: [{ type: 'account.disabled', data: {} }] }], { correlationId: 'reaper' });
  await audit.catchUp();
  const page = await listAuditEvents(world.api, { platform: clinic, filter: { account }, order: 'oldest' });
  expect(page.entries).toMatchObject([
    { actor, commitId, trace, streamId: account, version: 1 },
    { trace: 'reaper', version: 2 },
  ]);
  const found = async (filter: object) => (await allPages(world, { filter })).entries.map(({ type }) => type);
  expect(await found({ trace })).toEqual(['account.registered']);
  expect(await found({ trace: 'reaper' })).toEqual(['account.disabled']);
  expect(await found({ commit: commitId })).toEqual(['account.registered']);
  expect(await found({ actor })).toEqual(['account.registered']);
  expect(await found({ actor: { kind: 'account', id: account } })).toEqual([]);
});
