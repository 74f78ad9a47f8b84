import type { AccountRefusal } from '@grantlog/domain';
import { accountDecider } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import type { By, Provisioning } from './provisioning.ts';
import { sealCredential } from './sealed-credentials.ts';

/** Sets an account's password: sign-ins end with it, grants do not. */
export const setPassword = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly account: StreamId; readonly password: string },
): Promise<Changed<AccountRefusal>> => {
  const { platform, account } = task;
  const hash = new TextEncoder().encode(await context.passwords.hash(task.password));
  const credential = sealCredential(context.sealer, { platform, owner: account, kind: 'password_hash', bytes: hash });
  await insertCredentials(context.pool, [credential]);
  return change(context, by, {
    platform,
    requests: [{ streamId: account }],
    decide: (loaded) => {
      const { events, refusal } = accountDecider.decide(
        { type: 'setPassword', credentialId: credential.id },
        fold(accountDecider, loaded.stream(account)),
      );
      return refusal === undefined ? { writes: [{ streamId: account, events }] } : { refusal };
    },
  });
};
