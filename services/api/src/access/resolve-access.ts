import type { AccountState, ClientState, GrantState, PlatformDocument } from '@grantlog/domain';
import { isAccessLive } from '@grantlog/domain';
import type { EventLog, Loaded, LoadedStream, LoadRequest } from '@grantlog/eventsourcing';
import type { PlatformNames } from '@grantlog/provisioning';
import { loadWithSources } from '../delegation/load-with-sources.ts';
import type { Deps } from '../deps.ts';
import { grantStanding } from '../platforms/grant-standing.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldAccount, foldClient, foldGrant, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import type { ClaimedToken, ProvedToken } from '../tokens/read-token.ts';
import { proveToken, readToken } from '../tokens/read-token.ts';

/** A token that lives at the instant of its load, and everything it stands on. */
export type LiveToken = {
  readonly kind: 'access' | 'refresh';
  readonly token: ProvedToken;
  readonly grant: Extract<GrantState, { status: 'active' }>;
  readonly grantId: string;
  readonly client: ClientState;
  readonly account: AccountState | null;
  readonly accountStream: LoadedStream | null;
  readonly document: PlatformDocument;
  readonly issuer: string;
  readonly now: number;
};

export type ResolvedAccess = {
  /** Null for every token that gives nothing: malformed, foreign, expired, revoked, or of somebody who may not act. */
  readonly live: LiveToken | null;
  /** Why not, in words for the log. */
  readonly reason: string;
  /** Whether it was good and only its time is over; never said of what this platform did not issue. */
  readonly expired: boolean;
  readonly loaded: Loaded;
};

type Judged = Omit<ResolvedAccess, 'loaded'>;

const dead = (reason: string, expired = false): Judged => ({ live: null, reason, expired });

/** What a token gives by a load that has followed its grant and has its sources (RFC 8693), with platform and keys. */
export const judgeAccess = async (
  deps: Pick<Deps, 'keys' | 'config'>,
  { platform }: Pick<PlatformNames, 'platform'>,
  claimed: ClaimedToken | null,
  loaded: Loaded,
): Promise<Judged> => {
  if (claimed === null) return dead('malformed');
  const platformState = foldPlatform(loaded);
  if (platformState.status === 'none') return dead('unknown platform');
  const { document } = platformState;
  const grant = foldGrant(loaded, claimed.grantId);
  if (grant.status !== 'active') return dead(`the grant is ${grant.status}`);
  const keys = await deps.keys.of(platform, foldKeyRing(loaded));
  const issuer = issuerOf(document, deps.config.publicUrl);
  const token = await proveToken(claimed, { platform, issuer, document, keys, terms: grant.terms, now: loaded.now });
  if (token === null) return dead('its MAC or signature does not fit');
  if (token.kind === 'code') return dead('it is an authorization code');
  const { sequence, expiresAt } = token;
  if (token.kind === 'access' && !isAccessLive(grant, { sequence, expiresAt, now: loaded.now }))
    return dead('expired, revoked or never issued', loaded.now >= expiresAt * 1000);
  if (token.kind === 'refresh' && (sequence !== grant.current.sequence || loaded.now >= expiresAt * 1000))
    return dead('expired, spent or never issued');
  const client = foldClient(loaded, grant.terms.client);
  const account = foldAccount(loaded, grant.terms.account);
  const stands = grantStanding(loaded, grant);
  if (stands !== 'good') return dead(stands);
  return {
    live: {
      kind: token.kind,
      token,
      grant,
      grantId: claimed.grantId,
      client,
      account,
      accountStream: grant.terms.account === null ? null : loaded.stream(grant.terms.account),
      document,
      issuer,
      now: loaded.now,
    },
    reason: 'live',
    expired: false,
  };
};

export type ResolveOptions = {
  /** Further streams for the same load, such as the caller's. */
  readonly also?: readonly LoadRequest[];
  readonly withSecrets?: boolean;
};

/** Reads what a token gives at this instant: from the log alone, never from a projection or a cache (design §6). */
export const resolveAccess = async (
  deps: Pick<Deps, 'keys' | 'config'> & { readonly log: Pick<EventLog, 'load'> },
  names: PlatformNames,
  text: string,
  options: ResolveOptions = {},
): Promise<ResolvedAccess> => {
  const claimed = readToken(text);
  const loaded = await loadWithSources(deps.log, names.platform, {
    requests: [
      ...platformStreams,
      ...(options.also ?? []),
      ...(claimed === null ? [] : [{ streamId: claimed.grantId, follow: true, withSecrets: options.withSecrets ?? false }]),
    ],
    grants: claimed === null ? [] : [claimed.grantId],
  });
  return { ...(await judgeAccess(deps, names, claimed, loaded)), loaded };
};
