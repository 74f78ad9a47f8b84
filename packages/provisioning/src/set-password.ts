import type { AccountRefusal } from '@grantlog/domain';
import { accountDecider } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { commitOn } from './commit.ts';
import type { By, Provisioning } from './provisioning.ts';
import { sealCredential } from './sealed-credentials.ts';

/** Sets an account's password: sign-ins end with it, grants do not. Null, or why it was refused. */
export const setPassword = async (
  context: Provisioning,
  by: By,
  change: { readonly platform: PlatformId; readonly account: StreamId; readonly password: string },
): Promise<{ readonly position: number } | { readonly refusal: AccountRefusal }> => {
  const { platform, account } = change;
  const hash = new TextEncoder().encode(await context.passwords.hash(change.password));
  const credential = sealCredential(context.sealer, { platform, owner: account, kind: 'password_hash', bytes: hash });
  await insertCredentials(context.pool, [credential]);
  const { outcome, appended } = await execute({
    log: context.log,
    platform,
    requests: [{ streamId: account }],
    decide: (loaded) => {
      const { events, refusal } = accountDecider.decide(
        { type: 'setPassword', credentialId: credential.id },
        fold(accountDecider, loaded.stream(account)),
      );
      return {
        commit: refusal === undefined ? commitOn(loaded, by, { writes: [{ streamId: account, events }] }) : null,
        outcome: refusal ?? null,
      };
    },
  });
  return outcome === null ? { position: appended?.position ?? 0 } : { refusal: outcome };
};
