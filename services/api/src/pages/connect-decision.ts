import { randomToken } from '@grantlog/crypto';
import type { CodeTerms, GrantTerms, SessionId, SessionRefusal, SessionState, SessionStatus, SessionTerms } from '@grantlog/domain';
import { clientDecider, grantDecider, keyRingStream, platformStream, sessionDecider, sessionStatus, standing } from '@grantlog/domain';
import type { Loaded, NewEvent, Plan } from '@grantlog/eventsourcing';
import { execute } from '@grantlog/eventsourcing';
import { OAuthError } from '@grantlog/protocol';
import { commitOn, type PlatformNames, sessionGrant } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldAccount, foldClient, foldKeyRing, foldPlatform, foldSession } from '../platforms/load-parties.ts';
import { pinnedContextOf } from '../platforms/own-resources.ts';
import { loadedSession, sessionRequests } from '../sessions/load-session.ts';
import { canBeAnswered, numbersOf } from '../sessions/session-tokens.ts';
import type { ConnectAnswer } from './connect-end-page.ts';
import type { PendingSession } from './connect-seal.ts';
import { hostsIn } from './connect-webhooks.ts';
import { judgeContext, offerContexts } from './context-choice.ts';
import { type SignedIn, signedInOf } from './signed-in.ts';
import { isSessionStillAllowed } from './still-allowed.ts';

/** What the person clicked. */
export type ConnectClick = { readonly kind: 'deny' } | { readonly kind: 'allow' } | { readonly kind: 'number'; readonly number: number };

type Over = Exclude<SessionStatus, 'pending'>;

/** What the click came to; `over` where somebody else's answer, or time, came before it. */
export type ConnectDecided =
  | {
      readonly outcome: 'answered';
      readonly answer: ConnectAnswer;
      readonly agent: string;
      /** Where the log says so; null for an answer that stood before the click. */
      readonly position: number | null;
    }
  | { readonly outcome: 'over'; readonly status: Over }
  /** Nothing was decided: the agent has changed its webhooks since the page was shown. */
  | { readonly outcome: 'changed' };

const stale = (description: string): OAuthError => new OAuthError('invalid_request', { description });

const overOf = {
  already_decided: 'complete',
  already_redeemed: 'complete',
  authorization_pending: 'complete',
  session_denied: 'denied',
  session_expired: 'expired',
  not_expired: 'expired',
  session_revoked: 'revoked',
  not_standing: 'revoked',
  unknown_session: 'revoked',
  session_exists: 'revoked',
  wrong_client: 'revoked',
  too_many_webhooks: 'revoked',
} as const satisfies Record<SessionRefusal, Over>;

/** How the session stands that was answered by this very account before: its last page once more, or that it is over. */
const repeat = (
  state: Exclude<SessionState, { status: 'none' }>,
  of: { readonly status: Over; readonly account: string; readonly agent: string },
): ConnectDecided => {
  const { status, account, agent } = of;
  if (state.status === 'pending' || state.account !== account) return { outcome: 'over', status };
  if (state.status !== 'ended') {
    return status === 'complete' ? { outcome: 'answered', answer: 'connected', agent, position: null } : { outcome: 'over', status };
  }
  const { reason } = state;
  return reason === 'by_account' || reason === 'wrong_number'
    ? { outcome: 'answered', answer: reason, agent, position: null }
    : { outcome: 'over', status };
};

/** What the session's grant opens with: its device code stands where another grant has an authorization code. */
const openingOf = (
  session: SessionId,
  { client, clientId, scopes, resources, codeChallenge, expiresAt, tokenKeyId }: SessionTerms,
  { account, id: signIn, authTime, amr }: SignedIn,
): { readonly terms: Omit<GrantTerms, 'tokenNonce'>; readonly code: CodeTerms } => ({
  terms: { flow: 'device_code', client, clientId, account, session, signIn, scopes, resources, authTime, amr },
  code: { expiresAt, redirectUri: null, redirectUriSent: false, codeChallenge, tokenKeyId, nonce: null },
});

/**
 * Writes the one answer of one person about one session: link and grant, or a denial, in one commit. Which of many
 * clicks that is, the session's expected version decides; the others find it answered.
 *
 * @throws OAuthError `invalid_request` for a click that the page does not have, or of somebody who is not signed in any more.
 */
export const decideSession = async (
  deps: Deps,
  names: PlatformNames,
  task: {
    readonly pending: PendingSession;
    readonly signIn: NonNullable<PendingSession['signIn']>;
    readonly click: ConnectClick;
    /** What the person chose, as their form names it; null for none. Judged here, by the account as it stands. */
    readonly context: string | null;
    readonly correlationId: string;
  },
): Promise<ConnectDecided> => {
  const { platform } = names;
  const { pending, signIn, click, correlationId } = task;
  const { session: id } = pending;
  const grantId = sessionGrant(id);
  const tokenNonce = randomToken(32);
  const { endpoints } = { endpoints: [], ...foldSession(await deps.log.load(platform, [{ streamId: id }]), id) };

  const { outcome, appended } = await execute({
    log: deps.log,
    platform,
    requests: [
      ...sessionRequests(id),
      { streamId: signIn.id, follow: true, withSecrets: true },
      ...endpoints.map((streamId) => ({ streamId })),
    ],
    decide: async (loaded: Loaded): Promise<Plan<ConnectDecided>> => {
      const platformState = foldPlatform(loaded);
      const signedIn = signedInOf(deps, loaded, signIn.id, platform);
      const session = loadedSession(loaded, id);
      if (platformState.status !== 'active' || signedIn === null || signedIn.account !== signIn.account)
        throw stale('You are not signed in any more. Open the link of your agent once more');
      if (session === null) throw stale('This page belongs to nothing that began here. Open the link of your agent once more');
      const { state } = session;
      const { terms } = state;
      const client = foldClient(loaded, terms.client);
      const status = sessionStatus({ session: state, grant: session.grant, standing: session.standing, now: loaded.now }) ?? 'revoked';
      const isNamed = client.status === 'active' && terms.clientId !== platformState.document.agentSignUp?.unidentifiedClient;
      const agent = isNamed ? client.name : 'the agent';
      const keys = await deps.keys.of(platform, foldKeyRing(loaded));
      if (status !== 'pending' || client.status !== 'active' || !canBeAnswered(terms, keys)) {
        const over = status === 'pending' ? 'revoked' : status;
        return { commit: null, outcome: repeat(state, { status: over, account: signIn.account, agent }) };
      }

      const { document } = platformState;
      const commit = (ofSession: readonly NewEvent[], ofGrant: readonly NewEvent[] = [], ofClient: readonly NewEvent[] = []) =>
        commitOn(
          loaded,
          { actor: { kind: 'account', id: signIn.account }, correlationId },
          {
            writes: [
              { streamId: id, events: ofSession },
              { streamId: grantId, events: ofGrant },
              { streamId: terms.client, events: ofClient },
            ],
            reads: [platformStream, keyRingStream, terms.client, signIn.id, signIn.account, grantId, ...endpoints],
          },
        );
      const deny = (reason: 'by_account' | 'wrong_number'): Plan<ConnectDecided> => {
        const denied = sessionDecider.decide({ type: 'deny', now: loaded.now, reason, account: signIn.account }, state);
        return denied.refusal === undefined
          ? { commit: commit(denied.events), outcome: { outcome: 'answered', answer: reason, agent, position: null } }
          : { commit: null, outcome: { outcome: 'over', status: overOf[denied.refusal] } };
      };

      if (click.kind === 'deny') return deny('by_account');
      // What is shown is what is decided: a session whose agent shows a number is never allowed without it.
      if ((terms.via === 'init_signup') !== (click.kind === 'number')) throw stale('Answer with one of the buttons of the page');
      if (click.kind === 'number' && click.number !== numbersOf({ platform, keys, session: id, terms }).answer) return deny('wrong_number');
      const sameEndpoints = state.endpoints.every((endpoint) => endpoints.some((asked) => asked === endpoint));
      if (!sameEndpoints || hostsIn(loaded, state.endpoints).join() !== pending.webhookHosts.join())
        return { commit: null, outcome: { outcome: 'changed' } };
      const issuer = issuerOf(document, deps.config.publicUrl);
      if (!isSessionStillAllowed(terms, { document, client, issuer }))
        throw stale('What this page asks for is not allowed any more. Ask your agent for a new link');
      const { resources } = terms;
      const pinnedContext = pinnedContextOf({ document, issuer }, resources);
      const chosen = judgeContext(offerContexts({ document, issuer }, { resources, pinnedContext }, signedIn.contexts), task.context);
      if (chosen.outcome === 'refused') throw stale(`${chosen.why}. Open the link of your agent once more`);

      // The session is older than the grant: what the account revoked before is no answer to what it allows now.
      const ofGrant = standing({ firstPosition: null, platform: platformState, client, account: foldAccount(loaded, signIn.account) });
      const stands = session.standing === 'good' ? ofGrant : session.standing;
      const linked = sessionDecider.decide(
        { type: 'link', now: loaded.now, account: signIn.account, signIn: signIn.id, standing: stands },
        state,
      );
      if (linked.refusal !== undefined) return { commit: null, outcome: { outcome: 'over', status: overOf[linked.refusal] } };
      const opening = openingOf(id, terms, signedIn);
      const authorized = grantDecider.decide(
        {
          type: 'authorize',
          terms: { ...opening.terms, ...(pinnedContext === null ? {} : { contextPinned: true }), tokenNonce },
          code: opening.code,
          context: chosen.context,
        },
        session.grant,
      );
      if (authorized.refusal !== undefined) throw new Error(`the grant of a pending session was refused with ${authorized.refusal}`);
      return {
        commit: commit(linked.events, authorized.events, clientDecider.decide({ type: 'use' }, client).events),
        outcome: { outcome: 'answered', answer: 'connected', agent, position: null },
      };
    },
  });
  // Of the grant's event: a link commits the session's before it.
  return outcome.outcome === 'answered' && appended !== null ? { ...outcome, position: appended.position + 1 } : outcome;
};
