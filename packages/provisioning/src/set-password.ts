import type { AccountRefusal } from '@grantlog/domain';
import { accountDecider } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import type { By, Provisioning } from './provisioning.ts';
import { sealCredential } from './sealed-credentials.ts';

/** Hashes a password and stores the hash, sealed. It is the account's once an event names it. @returns the credential's id. */
export const storePassword = async (
  context: Pick<Provisioning, 'passwords' | 'pool' | 'sealer'>,
  of: { readonly platform: PlatformId; readonly account: StreamId; readonly password: string },
): Promise<string> => {
  const { platform, account } = of;
  const hash = new TextEncoder().encode(await context.passwords.hash(of.password));
  const credential = sealCredential(context.sealer, { platform, owner: account, kind: 'password_hash', bytes: hash });
  await insertCredentials(context.pool, [credential]);
  return credential.id;
};

/** Sets an account's password for its owner, without a proof of who that is: sign-ins end with it, grants do not. */
export const setPassword = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly account: StreamId; readonly password: string },
): Promise<Changed<AccountRefusal>> => {
  const { platform, account } = task;
  const credentialId = await storePassword(context, task);
  return change(context, by, {
    platform,
    requests: [{ streamId: account }],
    decide: (loaded) => {
      const { events, refusal } = accountDecider.decide(
        { type: 'setPassword', credentialId },
        fold(accountDecider, loaded.stream(account)),
      );
      return refusal === undefined ? { writes: [{ streamId: account, events }] } : { refusal };
    },
  });
};
