import type { GrantState, GrantTerms } from '@grantlog/domain';
import { isAccessLive } from '@grantlog/domain';
import type { Loaded, StreamId } from '@grantlog/eventsourcing';
import { foldClient, foldGrant } from '../platforms/load-parties.ts';

/** What people read of a grant's client; its id where it has been deleted. */
export const clientNameOf = (loaded: Loaded, { client, clientId }: Pick<GrantTerms, 'client' | 'clientId'>): string => {
  const state = foldClient(loaded, client);
  return 'name' in state ? state.name : clientId;
};

/** Who acts on what a person allowed, by the id of the grant that they allowed it in: the names of the other clients. */
export type PassedOn = ReadonlyMap<StreamId, readonly string[]>;

/**
 * Sorts grants by token exchange to those that they come from.
 *
 * @param grants loaded with `loadWithSources`.
 */
export const passedOnFrom = (loaded: Loaded, grants: readonly StreamId[], isLive: (grant: GrantState) => boolean): PassedOn => {
  const names = new Map<StreamId, readonly string[]>();
  for (const id of grants) {
    const grant = foldGrant(loaded, id);
    if (grant.status !== 'active' || !isLive(grant)) continue;
    // Its one token may have been given back by itself.
    const { sequence, accessExpiresAt: expiresAt } = grant.current;
    if (!isAccessLive(grant, { sequence, expiresAt, now: loaded.now })) continue;
    const root = grant.terms.delegation?.sources.at(-1)?.grant;
    if (root === undefined) continue;
    const from = foldGrant(loaded, root);
    // A client that exchanges its own token has passed nothing on.
    if (from.status === 'active' && from.terms.client === grant.terms.client) continue;
    names.set(root, [...new Set([...(names.get(root) ?? []), clientNameOf(loaded, grant.terms)])]);
  }
  return names;
};
