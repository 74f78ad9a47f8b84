import type {
  ClientStreamId,
  GrantId,
  GrantRefusal,
  GrantState,
  PlatformDocument,
  PresentedToken,
  SessionEvent,
  SessionId,
  SessionRefusal,
  Standing,
} from '@grantlog/domain';
import type { Loaded, LoadRequest, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { sessionGrant } from '@grantlog/provisioning';
import { grantStanding } from '../platforms/grant-standing.ts';
import { foldGrant } from '../platforms/load-parties.ts';
import { judgeRedemption } from '../sessions/judge-redemption.ts';
import type { ClaimedSession } from '../sessions/session-tokens.ts';
import type { PlatformKeys } from '../tokens/key-store.ts';
import type { ClaimedToken } from '../tokens/read-token.ts';
import { proveToken } from '../tokens/read-token.ts';

/** What a client shows for tokens: it names a grant, or the session whose grant a person opens. Nothing is proved yet. */
export type Shown =
  | { readonly kind: 'code' | 'refresh'; readonly claimed: ClaimedToken }
  | { readonly kind: 'session'; readonly claimed: ClaimedSession };

export const grantOf = (shown: Shown): GrantId => (shown.kind === 'session' ? sessionGrant(shown.claimed.session) : shown.claimed.grantId);

/** The streams that stand behind what was shown, with those they name. */
export const streamsOf = (shown: Shown): readonly LoadRequest[] => [
  { streamId: grantOf(shown), follow: true },
  ...(shown.kind === 'session' ? [{ streamId: shown.claimed.session, follow: true }] : []),
];

/** Why nothing is given; `reason` is for the log. */
export type Refused = { readonly kind: 'refused'; readonly refusal: GrantRefusal | SessionRefusal; readonly reason: string };

/** Nobody has answered the session yet. */
export type Pending = { readonly kind: 'pending'; readonly session: SessionId; readonly intervalSeconds: number; readonly now: number };

/** What was shown is ours, and this is the grant that it stands for. */
export type Proof = {
  readonly kind: 'proved';
  readonly grant: Exclude<GrantState, { status: 'none' | 'denied' }>;
  readonly presented: PresentedToken;
  readonly standing: Standing;
  /** Of a session: what is recorded in one commit with the redemption of its grant. */
  readonly along: readonly { readonly streamId: StreamId; readonly events: readonly SessionEvent[] }[];
};

type Against = {
  readonly loaded: Loaded;
  readonly platform: PlatformId;
  readonly client: ClientStreamId;
  readonly document: PlatformDocument;
  readonly issuer: string;
  readonly keys: PlatformKeys;
};

export const refused = (refusal: Refused['refusal'], reason: string = refusal): Refused => ({ kind: 'refused', refusal, reason });

const grantBehind = (shown: Shown, loaded: Loaded): Proof['grant'] | Refused => {
  const grant = foldGrant(loaded, grantOf(shown));
  return grant.status === 'none' || grant.status === 'denied' ? refused('unknown_grant', `the grant is ${grant.status}`) : grant;
};

const proveSession = ({ claimed }: Extract<Shown, { kind: 'session' }>, against: Against): Proof | Refused | Pending => {
  const { loaded } = against;
  const verdict = judgeRedemption(loaded, claimed, against);
  switch (verdict.outcome) {
    case 'refused':
      return refused(verdict.refusal, verdict.reason);
    case 'pending':
      return { kind: 'pending', session: claimed.session, intervalSeconds: verdict.intervalSeconds, now: loaded.now };
    case 'redeemable': {
      const grant = grantBehind({ kind: 'session', claimed }, loaded);
      if ('kind' in grant) return grant;
      const { sequence, expiresAt } = claimed.parsed.payload;
      return {
        kind: 'proved',
        grant,
        presented: { sequence, expiresAt },
        standing: verdict.standing,
        along: [{ streamId: claimed.session, events: verdict.events }],
      };
    }
  }
};

/** Proves what was shown: a code or a refresh token by its MAC, a device code by its session's, which also tells how far it came. */
export const proveShown = async (shown: Shown, against: Against): Promise<Proof | Refused | Pending> => {
  if (shown.kind === 'session') return proveSession(shown, against);
  const { loaded } = against;
  const grant = grantBehind(shown, loaded);
  if ('kind' in grant) return grant;
  const { terms } = grant;
  const presented = await proveToken(shown.claimed, { ...against, terms, now: loaded.now });
  if (presented === null || presented.kind !== shown.kind) return refused('unknown_grant', `the token is no ${shown.kind} of this grant`);
  return {
    kind: 'proved',
    grant,
    presented,
    standing: grantStanding(loaded, grant),
    along: [],
  };
};
