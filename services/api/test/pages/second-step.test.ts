import { randomUuid } from '@grantlog/crypto';
import { type AccountId, parsePlatformDocument } from '@grantlog/domain';
import type { CommitId } from '@grantlog/eventsourcing';
import { changePassword, configurePlatform, removeTotp } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { recordSignIn } from '../../src/access/record-sign-in.ts';
import { openEnrolment, type PendingEnrolment, sealEnrolment } from '../../src/account/sealed-enrolment.ts';
import { openSecondStep, type SecondStep, sealSecondStep } from '../../src/pages/second-step-seal.ts';
import { platformStreams } from '../../src/platforms/load-parties.ts';
import { createWorld, tenantJson, type World } from '../management/support/world.ts';

const by = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' } as const;

let world: World;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

const configure = async (mfa: 'optional' | 'required'): Promise<void> => {
  const parsed = parsePlatformDocument(tenantJson('arlo', { signIn: { mfa } }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await configurePlatform(world.deps.provisioning, by, parsed.document);
};
const versionOf = async (account: AccountId): Promise<number> =>
  (await world.deps.log.load(world.arlo, [{ streamId: account }])).stream(account).version;
/** An account as an enrolment leaves its stream. */
const enrolled = async (): Promise<AccountId> => {
  const { id } = await world.account(world.arlo);
  const events = [
    { type: 'account.mfa_enrolled', data: { factor: 'totp', credentialId: randomUuid() } },
    { type: 'account.recovery_codes_set', data: { credentialId: randomUuid(), count: 10 } },
  ];
  const writes = [{ streamId: id, expected: await versionOf(id), events }];
  await world.deps.log.append(world.arlo, { commitId: randomUuid() as CommitId, writes, reads: [], ...by });
  return id;
};

describe('a sign-in by the password alone', () => {
  const record = async (account: AccountId) => {
    const checked = await world.deps.log.load(world.arlo, [...platformStreams, { streamId: account, withSecrets: true }]);
    const visitor = { address: '192.0.2.1', userAgent: 'test' };
    return recordSignIn(world.deps, { platform: world.arlo, account, checked, proof: null, former: null, visitor, correlationId: 'test' });
  };

  test('is not recorded for an account with a second factor, whoever forgot to ask for it', async () => {
    expect(await record((await world.account(world.arlo)).id)).toEqual({ id: expect.any(String) });
    expect(await record(await enrolled())).toEqual({ refusal: 'changed_meanwhile' });
  });

  test('is not recorded on a platform that requires a second factor', async () => {
    const { id } = await world.account(world.arlo);
    await configure('required');
    expect(await record(id)).toEqual({ refusal: 'changed_meanwhile' });
    await configure('optional');
    expect(await record(id)).toEqual({ id: expect.any(String) });
  });
});

test('a required second factor is not removed, whoever forgot to look', async () => {
  const account = await enrolled();
  const names = await world.deps.directory.open(world.arlo);
  if (names === null) throw new Error('arlo is not there');
  const remove = async () =>
    removeTotp(world.deps.provisioning, by, {
      names,
      account,
      expectedVersion: await versionOf(account),
      proof: { method: 'recovery_code', index: 0 },
    });
  await configure('required');
  expect(await remove()).toEqual({ refusal: 'required_by_platform' });
  await configure('optional');
  expect(await remove()).toMatchObject({ changed: true });
});

test('a password is not changed without the second factor of its account, whoever forgot to ask for it', async () => {
  const names = await world.deps.directory.open(world.arlo);
  if (names === null) throw new Error('arlo is not there');
  const change = async (account: AccountId) => {
    const task = { names, account, expectedVersion: await versionOf(account), proof: null, password: 'a new password', signIn: null };
    return changePassword(world.deps.provisioning, by, task);
  };
  expect(await change(await enrolled())).toEqual({ refusal: 'changed_meanwhile' });
  expect(await change((await world.account(world.arlo)).id)).toEqual({
    position: expect.any(Number),
    passwordCredential: expect.any(String),
  });
});

describe('what travels sealed', () => {
  const [minute, now] = [60_000, 1_000_000_000];
  const account = '00000000-0003-8000-8000-000000000001' as AccountId;
  const browserId = 'b'.repeat(22);
  const step = { account, accountVersion: 2, browserId, issuedAt: now, destination: { kind: 'nothing' } } as const;
  const steps: readonly SecondStep[] = [
    { ...step, asks: 'code' },
    { ...step, asks: 'enrolment', seed: 'c2VlZA==' },
  ];

  test.each(steps)('is a step that asks for a $asks, in time, for this browser and this platform alone', (sent) => {
    const sealed = sealSecondStep(world.deps, world.arlo, sent);
    const open = (change: object = {}, platform = world.arlo) =>
      openSecondStep(world.deps, platform, { sealed, asks: sent.asks, browserId, now, ...change });
    const lasts = sent.asks === 'code' ? 5 * minute : 15 * minute;
    expect(open()).toEqual(sent);
    expect(open({ now: now + lasts - 1 })).toEqual(sent);
    for (const change of [
      { now: now + lasts },
      { now: now - 1 },
      { browserId: 'c'.repeat(22) },
      { sealed: undefined },
      { sealed: 'nonsense' },
      { asks: sent.asks === 'code' ? 'enrolment' : 'code' },
    ])
      expect(open(change)).toBeNull();
    expect(open({}, world.along)).toBeNull();
  });

  test('is an enrolment, for 15 minutes, of this account on this platform alone', () => {
    const pending: PendingEnrolment = { account, accountVersion: 2, seed: 'c2VlZA==', replaces: false, issuedAt: now };
    const sealed = sealEnrolment(world.deps, world.arlo, pending);
    const open = (change: object = {}, platform = world.arlo) => openEnrolment(world.deps, platform, { sealed, account, now, ...change });
    expect(open({ now: now + 15 * minute - 1 })).toEqual(pending);
    const other = '00000000-0003-8000-8000-000000000002';
    for (const change of [{ now: now + 15 * minute }, { now: now - 1 }, { account: other }, { sealed: undefined }, { sealed: 'nonsense' }])
      expect(open(change)).toBeNull();
    expect(open({}, world.along)).toBeNull();
    // One kind of seal does not open as another.
    expect(open({ sealed: sealSecondStep(world.deps, world.arlo, steps[1] as SecondStep) })).toBeNull();
  });
});
