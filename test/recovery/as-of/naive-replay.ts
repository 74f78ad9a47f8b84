import type { GrantlogEvent, GrantTerms, Issue } from '@grantlog/domain';
import type { RecordedEvent, StreamId } from '@grantlog/eventsourcing';

// What the log means, said a second time and as plainly as it can be: no aggregate, no decider, no fold. What the code that answers
// "as of" a moment says is compared with this.

type Grant = {
  readonly first: number;
  readonly terms: Pick<GrantTerms, 'client' | 'account' | 'session' | 'scopes' | 'delegation'>;
  status: 'denied' | 'authorized' | 'active' | 'ended';
  current: Issue | null;
  context: string | null;
  readonly revokedAccess: Map<number, number>;
};
type Party = { status: string; approval: string; roles: readonly string[]; readonly factors: Set<string>; revokedAt: number };

export type GrantPicture = {
  readonly status: string;
  readonly scopes: readonly string[];
  readonly sequence: number | null;
  readonly revokedAccess: readonly number[];
  readonly context: string | null;
  readonly mayAct: boolean;
};
export type ClientPicture = { readonly status: string; readonly approval: string | null };
export type AccountPicture = { readonly status: string; readonly roles: readonly string[]; readonly factors: readonly string[] };

type Event = Pick<RecordedEvent, 'streamId' | 'position' | 'type'>;
type EventOf<Type extends GrantlogEvent['type']> = Extract<GrantlogEvent, { readonly type: Type }> & Event;

/** Replays one platform's log, event by event, and says how things stand after the latest. */
export const createNaiveReplay = () => {
  const grants = new Map<StreamId, Grant>();
  const clients = new Map<StreamId, Party>();
  const accounts = new Map<StreamId, Party>();
  const sessions = new Map<StreamId, string>();
  const retiredKeys = new Set<string | number>();
  const platform = { isSuspended: false, revokedAt: 0 };
  const party = (): Party => ({ status: 'active', approval: 'approved', roles: [], factors: new Set(), revokedAt: 0 });

  const open = ({ streamId, position, data }: EventOf<'grant.authorized' | 'grant.denied'>, issue: Issue | null): void => {
    const { client, account, session, scopes, delegation } = data;
    const status = issue === null ? 'authorized' : 'active';
    const terms = { client, account, session, scopes, ...(delegation === undefined ? {} : { delegation }) };
    grants.set(streamId, { first: position, terms, status, current: issue, context: null, revokedAccess: new Map() });
  };
  const ofGrant = (streamId: StreamId, change: (grant: Grant) => Partial<Grant>): void => {
    const grant = grants.get(streamId);
    if (grant !== undefined) Object.assign(grant, change(grant));
  };
  const issue = ({ streamId, data }: EventOf<'grant.code_redeemed' | 'grant.refreshed'>): void =>
    ofGrant(streamId, () => ({ status: 'active', current: data.issue }));
  const endGrant = ({ streamId }: Event): void => ofGrant(streamId, () => ({ status: 'ended' }));
  const ofClient = (change: (position: number) => Partial<Party>) => (event: Event) =>
    void Object.assign(clients.get(event.streamId) ?? {}, change(event.position));
  const ofAccount = (change: (position: number) => Partial<Party>) => (event: Event) =>
    void Object.assign(accounts.get(event.streamId) ?? {}, change(event.position));
  const ofSession = ({ streamId, type }: Event): void => void sessions.set(streamId, type);

  const on: { readonly [Type in GrantlogEvent['type']]?: (event: EventOf<Type>) => void } = {
    'grant.authorized': (event) => open(event, event.data.issue),
    'grant.denied': (event) => {
      open(event, null);
      ofGrant(event.streamId, () => ({ status: 'denied' }));
    },
    'grant.code_redeemed': issue,
    'grant.refreshed': issue,
    'grant.context_selected': ({ streamId, data }) => ofGrant(streamId, () => data),
    'grant.access_token_revoked': ({ streamId, data }) =>
      ofGrant(streamId, ({ revokedAccess }) => ({ revokedAccess: revokedAccess.set(data.sequence, data.accessExpiresAt) })),
    'grant.revoked': endGrant,
    'grant.expired': endGrant,
    'client.registered': ({ streamId, data }) => void clients.set(streamId, { ...party(), approval: data.approval }),
    'client.approved': ofClient(() => ({ approval: 'approved' })),
    'client.rejected': ofClient(() => ({ approval: 'rejected' })),
    'client.resubmitted': ofClient(() => ({ approval: 'pending' })),
    'client.disabled': ofClient(() => ({ status: 'disabled' })),
    'client.enabled': ofClient(() => ({ status: 'active' })),
    'client.deleted': ofClient(() => ({ status: 'deleted' })),
    'client.grants_revoked': ofClient((revokedAt) => ({ revokedAt })),
    'account.registered': ({ streamId }) => void accounts.set(streamId, party()),
    'account.disabled': ofAccount(() => ({ status: 'disabled' })),
    'account.enabled': ofAccount(() => ({ status: 'active' })),
    'account.erased': ofAccount(() => ({ status: 'erased' })),
    'account.grants_revoked': ofAccount((revokedAt) => ({ revokedAt })),
    'account.roles_assigned': ({ streamId, data }) => void Object.assign(accounts.get(streamId) ?? {}, data),
    'account.mfa_enrolled': ({ streamId, data }) => void accounts.get(streamId)?.factors.add(data.factor),
    'account.mfa_removed': ({ streamId, data }) => void accounts.get(streamId)?.factors.delete(data.factor),
    'platform.suspended': () => void Object.assign(platform, { isSuspended: true }),
    'platform.resumed': () => void Object.assign(platform, { isSuspended: false }),
    'platform.grants_revoked': ({ position }) => void Object.assign(platform, { revokedAt: position }),
    'signing_key.retired': ({ data }) => void retiredKeys.add(data.keyId),
    'session.started': ofSession,
    'session.linked': ofSession,
    'session.redeemed': ofSession,
    'session.denied': ofSession,
    'session.expired': ofSession,
    'session.revoked': ofSession,
  };

  const standsAlone = ({ first, terms }: Grant): boolean => {
    const client = clients.get(terms.client);
    const account = terms.account === null ? null : accounts.get(terms.account);
    const session = terms.session === null ? null : sessions.get(terms.session);
    if (platform.isSuspended || first < platform.revokedAt) return false;
    if (client?.status !== 'active' || client.approval !== 'approved' || first < client.revokedAt) return false;
    if (account !== null && (account?.status !== 'active' || first < account.revokedAt)) return false;
    return session === null || session === 'session.linked' || session === 'session.redeemed';
  };

  const opens = (grant: Grant | undefined, token: Pick<Issue, 'sequence'> & { readonly expiresAt: number }, now: number): grant is Grant =>
    grant?.status === 'active' &&
    (grant.current?.sequence ?? 0) >= token.sequence &&
    !grant.revokedAccess.has(token.sequence) &&
    now < token.expiresAt * 1_000;

  /** Also the tokens that it was exchanged for have to be good, in the context in which it was. */
  const mayAct = (grant: Grant, now: number): boolean =>
    standsAlone(grant) &&
    (grant.terms.delegation?.sources ?? []).every(({ key, ...token }) => {
      const source = grants.get(token.grant);
      return opens(source, token, now) && source.context === grant.context && !retiredKeys.has(key.keyId) && standsAlone(source);
    });

  return {
    /** @param recorded the event after the one before. */
    take: (recorded: RecordedEvent): void => {
      // The log holds what the domain recorded, and the key is the event's own type.
      (on as Readonly<Record<string, ((event: RecordedEvent) => void) | undefined>>)[recorded.type]?.(recorded);
    },
    grant: (id: StreamId, now: number): GrantPicture => {
      const grant = grants.get(id);
      if (grant === undefined) return { status: 'none', scopes: [], sequence: null, revokedAccess: [], context: null, mayAct: false };
      const isOpen = grant.status === 'authorized' || grant.status === 'active';
      const isDenied = grant.status === 'denied';
      const revoked = [...grant.revokedAccess].flatMap(([sequence, expiresAt]) => (expiresAt * 1_000 > now ? [sequence] : []));
      return {
        status: grant.status,
        scopes: isDenied ? [] : grant.terms.scopes,
        sequence: grant.status === 'active' ? (grant.current?.sequence ?? null) : null,
        revokedAccess: grant.status === 'active' ? revoked.toSorted((a, b) => a - b) : [],
        context: isDenied ? null : grant.context,
        mayAct: isOpen && mayAct(grant, now),
      };
    },
    client: (id: StreamId): ClientPicture => {
      const client = clients.get(id);
      if (client === undefined) return { status: 'none', approval: null };
      return { status: client.status, approval: client.status === 'deleted' ? null : client.approval };
    },
    account: (id: StreamId): AccountPicture => {
      const account = accounts.get(id);
      if (account === undefined || account.status === 'erased') return { status: account?.status ?? 'none', roles: [], factors: [] };
      return { status: account.status, roles: account.roles, factors: [...account.factors].sort() };
    },
    /** Whether the access token of an issue of a grant was good. */
    isGood: (id: StreamId, issue: Issue, now: number): boolean => {
      const grant = grants.get(id);
      const { sequence, accessExpiresAt: expiresAt, tokenKeyId } = issue;
      return opens(grant, { sequence, expiresAt }, now) && !retiredKeys.has(tokenKeyId) && mayAct(grant, now);
    },
  };
};

export type NaiveReplay = ReturnType<typeof createNaiveReplay>;
