import type { ClientStreamId, SessionEvent, SessionRefusal, Standing } from '@grantlog/domain';
import { sessionDecider } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import type { PlatformKeys } from '../tokens/key-store.ts';
import { loadedSession } from './load-session.ts';
import { type ClaimedSession, provesSession } from './session-tokens.ts';

/** What a session says to its redemption, before its grant is asked. */
export type RedemptionVerdict =
  | { readonly outcome: 'refused'; readonly refusal: SessionRefusal; readonly reason: string }
  | { readonly outcome: 'pending'; readonly intervalSeconds: number }
  | {
      readonly outcome: 'redeemable';
      readonly standing: Standing;
      /** To be recorded with the grant's redemption, and only with it. Empty for a replay, which is the grant's to judge. */
      readonly events: readonly SessionEvent[];
    };

/** Judges a device code from the load that asked for its session: who made it, whose it is, how far the session came. */
export const judgeRedemption = (
  loaded: Loaded,
  claimed: ClaimedSession,
  by: { readonly platform: PlatformId; readonly keys: PlatformKeys; readonly client: ClientStreamId },
): RedemptionVerdict => {
  const session = loadedSession(loaded, claimed.session);
  const unknown = (reason: string): RedemptionVerdict => ({ outcome: 'refused', refusal: 'unknown_session', reason });
  if (session === null) return unknown('no such session');
  const { state, standing } = session;
  if (!provesSession(claimed, { platform: by.platform, keys: by.keys, terms: state.terms })) return unknown('its MAC does not fit');
  const { events, refusal } = sessionDecider.decide({ type: 'redeem', now: loaded.now, client: by.client, standing }, state);
  if (refusal === undefined) return { outcome: 'redeemable', standing, events };
  if (refusal === 'already_redeemed') return { outcome: 'redeemable', standing, events: [] };
  if (refusal === 'authorization_pending') return { outcome: 'pending', intervalSeconds: state.terms.intervalSeconds };
  return { outcome: 'refused', refusal, reason: refusal === 'not_standing' ? standing : refusal };
};
