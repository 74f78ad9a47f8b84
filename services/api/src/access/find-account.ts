import type { AccountId, AccountState } from '@grantlog/domain';
import { accountDecider, nameDecider } from '@grantlog/domain';
import type { Loaded } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { PlatformNames } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { platformStreams } from '../platforms/load-parties.ts';

export type FoundAccount = { readonly id: AccountId; readonly state: AccountState };

/** The account that an email belongs to, or null, and the load that says so, with the platform and the account's secrets. */
export type AccountLookup = { readonly account: FoundAccount | null; readonly loaded: Loaded };

/**
 * The account that an email belongs to now. The claim's first event may name a former owner, so the folded owner counts.
 *
 * Always two loads, the second without an owner about the claim again: the time must not tell whether the email is known.
 */
export const findAccount = async (deps: Pick<Deps, 'log'>, names: PlatformNames, email: string): Promise<AccountLookup> => {
  const claim = names.email(email);
  const first = await deps.log.load(names.platform, [...platformStreams, { streamId: claim }]);
  const name = fold(nameDecider, first.stream(claim));
  const owner = name.status === 'claimed' ? (name.owner as AccountId) : null;
  const loaded = await deps.log.load(names.platform, [...platformStreams, { streamId: owner ?? claim, withSecrets: true }]);
  return { account: owner === null ? null : { id: owner, state: fold(accountDecider, loaded.stream(owner)) }, loaded };
};
