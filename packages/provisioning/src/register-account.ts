import { createDataKey, sealPersonal, standingId } from '@grantlog/crypto';
import type { AccountId, AccountKind, AccountRefusal, AccountState, NameRefusal } from '@grantlog/domain';
import { accountDecider, nameDecider, platformDecider, platformStream, standingKinds } from '@grantlog/domain';
import type { NewEvent, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials, insertDataKey } from '@grantlog/postgres';
import { isAssignableRole } from './assignable-role.ts';
import { change } from './change.ts';
import { sealDataKey } from './personal-data.ts';
import { canonicalEmail } from './platform-directory.ts';
import type { By, Provisioning } from './provisioning.ts';
import { sealCredential } from './sealed-credentials.ts';

export type NewAccount = {
  readonly platform: PlatformId;
  readonly email: string;
  readonly displayName: string;
  /** Plain; it is hashed here and goes no further. */
  readonly password: string;
  readonly roles: readonly string[];
  /** Default: a person. */
  readonly kind?: AccountKind;
  /** Whether its mailbox has answered. Default: no. */
  readonly emailVerified?: boolean;
};

type AccountRefused = 'unknown_platform' | 'unacceptable_email' | 'unknown_role' | AccountRefusal | NameRefusal;

export type AccountRegistered =
  | { readonly kind: 'registered'; readonly account: AccountId; readonly position: number }
  | {
      readonly kind: 'refused';
      readonly refusal: AccountRefused;
    };

// One @ between something and a host with a dot or localhost; whether mail arrives is not for a pattern to say.
const emailShape = /^[^\s@\p{Cc}]{1,64}@[^\s@\p{Cc}]{1,190}$/u;

/** Whether an account could be registered with this email. Whether one is, is not asked. */
export const isAcceptableEmail = (email: string): boolean => emailShape.test(canonicalEmail(email));

/**
 * Registers an account with an email and a password, its roles, and the claim on the email, in one commit: of two
 * registrations of one email one is refused with `name_taken`.
 *
 * @param account.password plain, or hashed before by the same `passwords`.
 * @throws UnacceptablePassword for a password that cannot be hashed.
 */
export const registerAccount = async (
  context: Provisioning,
  by: By,
  account: Omit<NewAccount, 'password'> & { readonly password: string | { readonly hash: string } },
): Promise<AccountRegistered> => {
  const { platform } = account;
  const names = await context.directory.open(platform);
  if (names === null) return { kind: 'refused', refusal: 'unknown_platform' };
  const email = canonicalEmail(account.email);
  if (!isAcceptableEmail(email)) return { kind: 'refused', refusal: 'unacceptable_email' };

  const id = standingId(standingKinds.account) as AccountId;
  const emailName = names.email(email);
  const hash = typeof account.password === 'string' ? await context.passwords.hash(account.password) : account.password.hash;
  const password = sealCredential(context.sealer, { platform, owner: id, kind: 'password_hash', bytes: new TextEncoder().encode(hash) });
  const dataKey = createDataKey();
  await insertDataKey(context.pool, { platform, subject: id, sealed: sealDataKey(context.sealer, { platform, subject: id, dataKey }) });
  await insertCredentials(context.pool, [password]);
  const personal = sealPersonal({ dataKey, platform, streamId: id, version: 1, fields: { email, name: account.displayName } });

  const changed = await change<AccountRefused>(context, by, {
    platform,
    requests: [{ streamId: platformStream }, { streamId: id }, { streamId: emailName }],
    decide: (loaded) => {
      const owner = fold(platformDecider, loaded.stream(platformStream));
      if (owner.status === 'none') return { refusal: 'unknown_platform' };
      if (!account.roles.every((role) => isAssignableRole(owner.document, role))) return { refusal: 'unknown_role' };
      const claim = nameDecider.decide({ type: 'claim', kind: 'email', owner: id }, fold(nameDecider, loaded.stream(emailName)));
      const initial: AccountState = fold(accountDecider, loaded.stream(id));
      const registered = accountDecider.decide(
        { type: 'register', emailName, kind: account.kind ?? 'person', emailVerified: account.emailVerified ?? false },
        initial,
      );
      const refusal = claim.refusal ?? registered.refusal;
      if (refusal !== undefined) return { refusal };
      const roles = [...new Set(account.roles)].sort();
      const events: readonly NewEvent[] = [
        ...registered.events.map((event) => ({ ...event, personal })),
        { type: 'account.password_set', data: { credentialId: password.id } },
        ...(roles.length === 0 ? [] : [{ type: 'account.roles_assigned', data: { roles } }]),
      ];
      return {
        writes: [
          { streamId: id, events },
          { streamId: emailName, events: claim.events },
        ],
        reads: [platformStream],
      };
    },
  });
  if ('refusal' in changed) return { kind: 'refused', refusal: changed.refusal };
  return { kind: 'registered', account: id, position: changed.position };
};
