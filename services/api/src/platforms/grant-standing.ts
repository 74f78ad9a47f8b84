import type { GrantState, Standing } from '@grantlog/domain';
import { standing } from '@grantlog/domain';
import type { Loaded } from '@grantlog/eventsourcing';
import { foldAccount, foldClient, foldPlatform, foldSession } from './load-parties.ts';

/** Whether a grant may act, as far as platform, client, account and session are concerned. The load has followed the grant. */
export const grantStanding = (loaded: Loaded, { firstPosition, terms }: Exclude<GrantState, { status: 'none' | 'denied' }>): Standing =>
  standing({
    firstPosition,
    platform: foldPlatform(loaded),
    client: foldClient(loaded, terms.client),
    account: foldAccount(loaded, terms.account),
    session: terms.session === null ? null : foldSession(loaded, terms.session),
  });
