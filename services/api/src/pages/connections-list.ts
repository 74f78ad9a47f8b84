import type { AccountId, GrantState, SessionId, SessionState, Standing } from '@grantlog/domain';
import { endOfUse } from '@grantlog/domain';
import type { Loaded } from '@grantlog/eventsourcing';
import type { PlatformNames } from '@grantlog/provisioning';
import { readContexts, readPersonal } from '@grantlog/provisioning';
import { listGrants } from '@grantlog/read-models';
import { loadWithSources } from '../delegation/load-with-sources.ts';
import { clientNameOf, passedOnFrom } from '../delegation/passed-on.ts';
import type { Deps } from '../deps.ts';
import { grantStanding } from '../platforms/grant-standing.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldAccount, foldGrant, foldPlatform, foldSession, platformStreams } from '../platforms/load-parties.ts';
import { hostsIn } from './connect-webhooks.ts';
import { connectionContextOf } from './connection-context.ts';
import type { Connection } from './connections-page.ts';

const pageSize = 50;
/** Grants by token exchange that are looked at for the names of their clients, the newest first. */
const passedOnLimit = 200;

type Live = Extract<GrantState, { readonly status: 'authorized' | 'active' }>;
type Begun = Exclude<SessionState, { readonly status: 'none' }>;

/** What a grant does not come back from. */
const isForGood = {
  good: false,
  platform_suspended: false,
  client_disabled: false,
  client_deleted: true,
  client_unapproved: false,
  account_disabled: false,
  account_erased: true,
  revoked_with_client: true,
  revoked_with_account: true,
  revoked_with_platform: true,
  session_ended: true,
  source_ended: true,
} as const satisfies Record<Standing, boolean>;

/** Whether a grant can still be used, or could be again: what its client or account is kept from for now stays a connection. */
const isLive = (grant: GrantState, loaded: Loaded): grant is Live => {
  if ((grant.status !== 'authorized' && grant.status !== 'active') || loaded.now >= endOfUse(grant) * 1000) return false;
  return !isForGood[grantStanding(loaded, grant)];
};

/**
 * What is connected to an account. The list of grants says where to look, and the log says what stands: an end is seen at
 * once, however far behind the list is.
 *
 * @returns `current` is false where the list had not reached `minPosition` within half a second.
 */
export const listConnections = async (
  deps: Deps,
  names: PlatformNames,
  query: { readonly account: AccountId; readonly before: number | undefined; readonly minPosition: number | undefined },
): Promise<{ readonly connections: readonly Connection[]; readonly next: number | null; readonly current: boolean }> => {
  const { platform } = names;
  const { account, before, minPosition } = query;
  const { pool } = deps.provisioning;
  const of = { platform, account, limit: pageSize, ...(before === undefined ? {} : { before }) };
  const active = await listGrants(pool, {
    ...of,
    delegated: false,
    status: 'active',
    ...(minPosition === undefined ? {} : { minPosition }),
  });
  // Allowed and not yet come for: short-lived, so that the first page has them all.
  const authorized = before === undefined ? (await listGrants(pool, { ...of, status: 'authorized' })).grants : [];
  const listed = [...active.grants, ...authorized].sort((a, b) => b.firstPosition - a.firstPosition);
  const sessions = listed.flatMap(({ session }) => (session === null ? [] : [session as SessionId]));
  // What was passed on ends with what it was passed on from, so it is no connection of its own.
  const passedOn = (await listGrants(pool, { platform, account, delegated: true, status: 'active', limit: passedOnLimit })).grants;
  const loaded = await loadWithSources(deps.log, platform, {
    requests: [
      ...platformStreams,
      { streamId: account, withSecrets: true },
      ...[...listed, ...passedOn].map(({ grantId }) => ({ streamId: grantId, follow: true })),
      ...sessions.map((streamId) => ({ streamId, withSecrets: true })),
    ],
    grants: passedOn.map(({ grantId }) => grantId),
  });
  const actors = passedOnFrom(
    loaded,
    passedOn.map(({ grantId }) => grantId),
    (grant) => isLive(grant, loaded),
  );
  const begun = new Map<string, Begun>();
  for (const id of sessions) {
    const state = foldSession(loaded, id);
    if (state.status !== 'none') begun.set(id, state);
  }
  const endpoints = [...begun.values()].flatMap((state) => state.endpoints);
  const webhooks =
    endpoints.length === 0
      ? null
      : await deps.log.load(
          platform,
          endpoints.map((streamId) => ({ streamId })),
        );

  const sessionOf = (id: SessionId | null): Connection['session'] => {
    const state = id === null ? undefined : begun.get(id);
    if (id === null || state === undefined) return null;
    const personal = readPersonal(deps.sealer, {
      platform,
      subject: id,
      wrappedKey: loaded.stream(id).dataKey,
      personal: state.personal,
    });
    return {
      from: personal === 'erased' ? null : { address: personal['address'] ?? '', program: personal['userAgent'] ?? '' },
      webhookHosts: webhooks === null ? [] : hostsIn(webhooks, state.endpoints),
    };
  };

  const platformState = foldPlatform(loaded);
  const owner = foldAccount(loaded, account);
  const contexts = readContexts(deps.sealer, { platform, account: owner, stream: loaded.stream(account) });
  const unidentified = platformState.status === 'none' ? undefined : platformState.document.agentSignUp?.unidentifiedClient;
  const connections = listed.flatMap(({ grantId }): readonly Connection[] => {
    const grant = foldGrant(loaded, grantId);
    if (!isLive(grant, loaded) || grant.terms.account !== account) return [];
    return [
      {
        grantId,
        name: clientNameOf(loaded, grant.terms),
        passedOnTo: actors.get(grantId) ?? [],
        isUnidentified: grant.terms.clientId === unidentified,
        since: grant.authorizedAt,
        lastIssuedAt: grant.status === 'active' ? grant.current.issuedAt : null,
        scopes: grant.terms.scopes,
        context:
          platformState.status === 'none'
            ? null
            : connectionContextOf(
                { document: platformState.document, issuer: issuerOf(platformState.document, deps.config.publicUrl) },
                grant,
                { account: owner, contexts },
              ),
        session: sessionOf(grant.terms.session),
      },
    ];
  });
  return { connections, next: active.next, current: active.current };
};
