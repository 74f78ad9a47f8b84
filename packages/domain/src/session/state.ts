import type { Placed } from '@grantlog/eventsourcing';
import type { AccountId, EndpointId, Instant, SignInId } from '../ids.ts';
import { type SealedFact, sealedFact } from '../sealed-fact.ts';
import type { SessionDenial, SessionEvent, SessionTerms } from './events.ts';

type Begun = {
  readonly terms: SessionTerms;
  readonly firstPosition: number;
  readonly startedAt: Instant;
  /** Where the agent came from, sealed under the session's own key. */
  readonly personal: SealedFact | null;
  /** Webhooks of this session, in the order of their registration. */
  readonly endpoints: readonly EndpointId[];
};

type Linked = Begun & { readonly account: AccountId; readonly signIn: SignInId; readonly linkedAt: Instant };

export type SessionState =
  | { readonly status: 'none' }
  | (Begun & { readonly status: 'pending' })
  | (Linked & { readonly status: 'linked' })
  | (Linked & { readonly status: 'redeemed'; readonly redeemedAt: Instant })
  | (Begun & {
      readonly status: 'ended';
      readonly reason: SessionDenial | 'expired' | 'revoked';
      /** Null when nobody had answered. */
      readonly account: AccountId | null;
      readonly linkedAt: Instant | null;
      readonly endedAt: Instant;
    });

export const noSession: SessionState = { status: 'none' };

type Living = Extract<SessionState, { status: 'pending' | 'linked' | 'redeemed' }>;

const begunOf = ({ terms, firstPosition, startedAt, personal, endpoints }: Begun): Begun => ({
  terms,
  firstPosition,
  startedAt,
  personal,
  endpoints,
});

const end = (
  state: Living,
  how: { readonly reason: SessionDenial | 'expired' | 'revoked'; readonly account: AccountId | null; readonly endedAt: Instant },
): SessionState => ({
  ...begunOf(state),
  status: 'ended',
  linkedAt: state.status === 'pending' ? null : state.linkedAt,
  ...how,
});

const accountOf = (state: Living): AccountId | null => (state.status === 'pending' ? null : state.account);

/** Folds one event into a session. An event that cannot follow the state leaves it as it is: deciders record none such. */
export const evolveSession = (state: SessionState, event: Placed<SessionEvent>): SessionState => {
  if (state.status === 'none') {
    if (event.type !== 'session.started') return state;
    return {
      status: 'pending',
      terms: event.data,
      firstPosition: event.position,
      startedAt: event.recordedAt,
      personal: sealedFact(event),
      endpoints: [],
    };
  }
  if (state.status === 'ended') return state;
  switch (event.type) {
    case 'session.started':
      return state;
    case 'session.webhook_registered':
      return state.endpoints.includes(event.data.endpoint) ? state : { ...state, endpoints: [...state.endpoints, event.data.endpoint] };
    case 'session.linked': {
      if (state.status !== 'pending') return state;
      const { account, signIn } = event.data;
      return { ...state, status: 'linked', account, signIn, linkedAt: event.recordedAt };
    }
    case 'session.redeemed':
      return state.status === 'linked' ? { ...state, status: 'redeemed', redeemedAt: event.recordedAt } : state;
    case 'session.denied':
      return end(state, { reason: event.data.reason, account: event.data.account, endedAt: event.recordedAt });
    case 'session.expired':
      return end(state, { reason: 'expired', account: accountOf(state), endedAt: event.recordedAt });
    case 'session.revoked':
      return end(state, { reason: 'revoked', account: accountOf(state), endedAt: event.recordedAt });
  }
};
