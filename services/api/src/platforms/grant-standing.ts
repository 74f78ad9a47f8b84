import type { DelegationSource, GrantState, Standing } from '@grantlog/domain';
import { findKey, isAccessLive, standing } from '@grantlog/domain';
import type { Loaded } from '@grantlog/eventsourcing';
import { foldAccount, foldClient, foldGrant, foldKeyRing, foldPlatform, foldSession } from './load-parties.ts';

type Opened = Exclude<GrantState, { status: 'none' | 'denied' }>;

const ownStanding = (loaded: Loaded, { firstPosition, terms }: Opened): Standing =>
  standing({
    firstPosition,
    platform: foldPlatform(loaded),
    client: foldClient(loaded, terms.client),
    account: foldAccount(loaded, terms.account),
    session: terms.session === null ? null : foldSession(loaded, terms.session),
  });

/** Whether a token that was exchanged still opens what it opened then: alive, of somebody who may act, in the same context, its key not retired. */
const sourceLives = (loaded: Loaded, source: DelegationSource, context: string | null): boolean => {
  const grant = foldGrant(loaded, source.grant);
  const { sequence, expiresAt, key } = source;
  return (
    isAccessLive(grant, { sequence, expiresAt, now: loaded.now }) &&
    grant.context === context &&
    findKey(foldKeyRing(loaded), key) !== undefined &&
    ownStanding(loaded, grant) === 'good'
  );
};

/**
 * Whether a grant may act, as far as platform, client, account, session and the tokens that it stands on are concerned. The
 * load has followed the grant and has its sources (`delegation/load-with-sources.ts`); one without them throws.
 */
export const grantStanding = (loaded: Loaded, grant: Opened): Standing => {
  const own = ownStanding(loaded, grant);
  if (own !== 'good') return own;
  const sources = grant.terms.delegation?.sources ?? [];
  return sources.every((source) => sourceLives(loaded, source, grant.context)) ? 'good' : 'source_ended';
};
