import type { AccountId } from '@grantlog/domain';
import { accountDecider, nameDecider } from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import { type By, type NewAccount, openCredential, type Provisioning, registerAccount, setPassword } from '@grantlog/provisioning';

/** An account of the demonstration cannot be made or brought to its password. */
export class SeedRefused extends Error {
  override readonly name = 'SeedRefused';
}

/** Makes sure that the account exists and signs in with this password; changes nothing when it does. Answers with its id. */
export const ensureAccount = async (context: Provisioning, by: By, account: NewAccount): Promise<AccountId> => {
  const { platform, email, password } = account;
  const names = await context.directory.open(platform);
  if (names === null) throw new SeedRefused(`the platform ${platform} is not there`);
  const claim = names.email(email);
  const name = fold(nameDecider, (await context.log.load(platform, [{ streamId: claim }])).stream(claim));
  if (name.status !== 'claimed') {
    const registered = await registerAccount(context, by, account);
    if (registered.kind === 'refused') throw new SeedRefused(`the account ${email} of ${platform} was refused: ${registered.refusal}`);
    return registered.account;
  }
  const owner = name.owner as AccountId;
  const stream = (await context.log.load(platform, [{ streamId: owner, withSecrets: true }])).stream(owner);
  const state = fold(accountDecider, stream);
  if (state.status !== 'active')
    throw new SeedRefused(`the account ${email} of ${platform} is ${state.status}; enable it, or start on an empty database`);
  if (state.passwordCredential !== null) {
    const place = { platform, owner, kind: 'password_hash', id: state.passwordCredential, credentials: stream.credentials } as const;
    const hash = new TextDecoder().decode(openCredential(context.sealer, place));
    if (await context.passwords.verify(hash, password)) return owner;
  }
  const set = await setPassword(context, by, { platform, account: owner, password });
  if ('refusal' in set) throw new SeedRefused(`the password of ${email} of ${platform} was refused: ${set.refusal}`);
  return owner;
};
