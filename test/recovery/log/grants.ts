import { randomUUID } from 'node:crypto';
import { standingId, uuidv7 } from '@grantlog/crypto';
import type {
  AccountEvent,
  AccountId,
  ClientEvent,
  ClientId,
  ClientStreamId,
  GrantCommand,
  GrantEvent,
  GrantId,
  GrantRefusal,
  GrantTerms,
  NameId,
  PlatformEvent,
  Standing,
} from '@grantlog/domain';
import { accountDecider, clientDecider, grantDecider, platformDecider, platformStream, standing, standingKinds } from '@grantlog/domain';
import type { Commit, CommitId, EventLog, Executed, Loaded, NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';

// The grant's real decider on the real log, without the protocol around it: what a token endpoint does, and nothing else.

export type Parties = { readonly client: ClientStreamId; readonly account: AccountId };
export type Grant = Parties & { readonly id: GrantId };

const rules = { accessTokenSeconds: 3_600, refreshTokenSeconds: 7_776_000, grantMaxSeconds: null, tokenKeyId: 1 };
const narrowing = { scopes: null, resource: null };
const expiresAt = 4_000_000_000;
const redirectUri = 'https://app.example/callback';

export const newParties = (): Parties => ({
  client: standingId(standingKinds.client) as ClientStreamId,
  account: standingId(standingKinds.account) as AccountId,
});
export const newGrant = (parties: Parties): Grant => ({ ...parties, id: uuidv7(Date.now()) as GrantId });

type Fact = GrantEvent | ClientEvent | AccountEvent | PlatformEvent;
// Facts are plain data; only their union is narrower than what a commit may hold.
const facts = (...events: readonly Fact[]): readonly NewEvent[] => events as readonly NewEvent[];

export const commitFacts = (
  writes: readonly { readonly streamId: StreamId; readonly expected: number; readonly events: readonly Fact[] }[],
  reads: Commit['reads'] = [],
): Commit => ({
  commitId: randomUUID() as CommitId,
  writes: writes.map((write) => ({ ...write, events: facts(...write.events) })),
  reads,
  actor: { kind: 'system', id: 'test' },
  correlationId: 'test',
});

/** The document's contents decide nothing here. */
export const configured = (): PlatformEvent => ({
  type: 'platform.configured',
  data: { document: { resources: [] } as unknown as Extract<PlatformEvent, { type: 'platform.configured' }>['data']['document'] },
});

export const registeredClient = (): ClientEvent => ({
  type: 'client.registered',
  data: {
    clientId: randomUUID() as ClientId,
    kind: 'confidential',
    how: 'portal',
    secretCredential: null,
    approval: 'approved',
    tokenNonce: null,
    name: 'An agent',
    redirectUris: [redirectUri],
    grantTypes: ['authorization_code', 'refresh_token'],
    scopes: null,
    authMethods: ['client_secret_basic'],
    idTokenAlg: null,
    serves: [],
    roles: [],
  },
});

export const registeredAccount = (): AccountEvent => ({
  type: 'account.registered',
  data: { emailName: standingId(standingKinds.name) as NameId },
});

const authorized = ({ client, account }: Parties): GrantEvent => {
  const terms: GrantTerms = {
    flow: 'authorization_code',
    client,
    clientId: 'agent',
    account,
    session: null,
    signIn: null,
    scopes: ['read'],
    resources: [],
    authTime: 1,
    tokenNonce: 'A'.repeat(43),
  };
  const code = { expiresAt, redirectUri, redirectUriSent: true, codeChallenge: null, tokenKeyId: 1, nonce: null };
  return { type: 'grant.authorized', data: { ...terms, code, issue: null } };
};

/** A grant with its code unredeemed, or, `active`, in use at sequence 1. */
export const openingOf = (parties: Parties, active: boolean): readonly GrantEvent[] => {
  const issue = {
    sequence: 1,
    issuedAt: Date.now(),
    accessExpiresAt: expiresAt,
    refreshExpiresAt: expiresAt,
    scopes: [0],
    resource: null,
    tokenKeyId: 1,
  };
  return active ? [authorized(parties), { type: 'grant.code_redeemed', data: { issue } }] : [authorized(parties)];
};

/** The sequence that the caller is given, or why it is given none. */
export type Issued = { readonly sequence: number } | { readonly refusal: GrantRefusal; readonly standing: Standing };

const standingOf = (loaded: Loaded, grant: Grant, firstPosition: number | null): Standing =>
  standing({
    firstPosition,
    platform: fold(platformDecider, loaded.stream(platformStream)),
    client: fold(clientDecider, loaded.stream(grant.client)),
    account: fold(accountDecider, loaded.stream(grant.account)),
  });

/** Decides a command on a grant and appends, depending on client, account and platform as they were read. */
const run = (
  log: EventLog,
  platform: PlatformId,
  grant: Grant,
  toCommand: (loaded: Loaded, standing: Standing) => GrantCommand,
): Promise<Executed<Issued>> =>
  execute({
    log,
    platform,
    requests: [{ streamId: grant.id, follow: true }, { streamId: platformStream }],
    decide: (loaded) => {
      const stream = loaded.stream(grant.id);
      const state = fold(grantDecider, stream);
      const stands = standingOf(loaded, grant, 'firstPosition' in state ? state.firstPosition : null);
      const { events, refusal } = grantDecider.decide(toCommand(loaded, stands), state);
      const after = events.reduce(
        (current, event, index) =>
          grantDecider.evolve(current, {
            ...event,
            streamId: grant.id,
            version: stream.version + index + 1,
            position: 0,
            recordedAt: loaded.now,
            personal: null,
          }),
        state,
      );
      const outcome: Issued =
        refusal === undefined && after.status === 'active'
          ? { sequence: after.current.sequence }
          : { refusal: refusal ?? 'grant_ended', standing: stands };
      if (events.length === 0) return { commit: null, outcome };
      const reads = [grant.client, grant.account, platformStream].map((streamId) => ({
        streamId,
        expected: loaded.stream(streamId).version,
      }));
      return { commit: commitFacts([{ streamId: grant.id, expected: stream.version, events }], reads), outcome };
    },
  });

/** Presents the refresh token of a sequence. `retrySeconds` 0 is strict: its predecessor presented again ends the grant. */
export const refreshGrant = async (
  log: EventLog,
  platform: PlatformId,
  grant: Grant,
  presented: { readonly sequence: number; readonly retrySeconds: number; readonly onDecide?: () => void },
): Promise<Issued> =>
  (
    await run(log, platform, grant, (loaded, stands) => {
      presented.onDecide?.();
      return {
        type: 'refresh',
        now: loaded.now,
        client: grant.client,
        standing: stands,
        presented: { sequence: presented.sequence, expiresAt },
        redirectUri: null,
        narrowing,
        rules,
        retry: { retrySeconds: presented.retrySeconds, retryLimit: 10 },
        proofKey: null,
      };
    })
  ).outcome;

export const redeemCode = async (log: EventLog, platform: PlatformId, grant: Grant): Promise<Issued> =>
  (
    await run(log, platform, grant, (loaded, stands) => ({
      type: 'redeem_code',
      now: loaded.now,
      client: grant.client,
      standing: stands,
      redirectUri,
      verifierDigest: null,
      narrowing,
      rules,
      proofKey: null,
    }))
  ).outcome;
