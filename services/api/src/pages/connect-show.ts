import type { SessionId, SignInId } from '@grantlog/domain';
import { sessionStatus } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { OAuthError } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import { readPersonal } from '@grantlog/provisioning';
import type { FastifyReply } from 'fastify';
import type { Deps } from '../deps.ts';
import { staysConnected } from '../grants/issue-rules.ts';
import { csrfToken } from '../http/browser.ts';
import { sendPage } from '../http/page.ts';
import { issuerOf, pathOf } from '../platforms/issuer.ts';
import { foldClient, foldKeyRing, foldPlatform } from '../platforms/load-parties.ts';
import { pinnedContextOf } from '../platforms/own-resources.ts';
import { type LoadedSession, loadedSession, sessionRequests } from '../sessions/load-session.ts';
import { canBeAnswered, numbersOf } from '../sessions/session-tokens.ts';
import type { PlatformKeys } from '../tokens/key-store.ts';
import { sessionEndPage, unknownLinkPage } from './connect-end-page.ts';
import { type AgentOrigin, type ConnectCheck, connectPage } from './connect-page.ts';
import { type PendingSession, sealSession } from './connect-seal.ts';
import { webhookHostsOf } from './connect-webhooks.ts';
import { offerContexts } from './context-choice.ts';
import { signInPage } from './sign-in-page.ts';
import { signedInOf } from './signed-in.ts';

/** What the agent said of itself when it began, as the page tells it; null once it is erased. */
const beginningOf = (deps: Pick<Deps, 'sealer'>, loaded: Loaded, { id, state }: LoadedSession, platform: PlatformId) => {
  const wrappedKey = loaded.stream(id).dataKey;
  const personal = readPersonal(deps.sealer, { platform, subject: id, wrappedKey, personal: state.personal });
  return personal === 'erased' ? null : personal;
};

/** What the person compares: the agent's number, or the code that a device shows where it was not typed (RFC 8628 §3.3.1). */
const checkOf = (of: {
  readonly platform: PlatformId;
  readonly keys: PlatformKeys;
  readonly session: LoadedSession;
  readonly pending: PendingSession;
  readonly userCode: string | null;
}): ConnectCheck => {
  const { platform, keys, session, pending, userCode } = of;
  const { terms } = session.state;
  switch (terms.via) {
    case 'init_signup':
      return { kind: 'number', choices: numbersOf({ platform, keys, session: session.id, terms }).choices };
    case 'device_authorization':
      return pending.entry === 'user_code' || userCode === null ? { kind: 'nothing' } : { kind: 'code', code: userCode };
  }
};

/**
 * Shows an agent's session to whoever is there: the page that asks, to who is signed in; the sign-in form to everybody
 * else; and what became of it, where nobody is asked any more. It writes nothing.
 *
 * @param shown.changed the page is shown again because what it had said of the webhooks is not so any more.
 */
export const showSession = async (
  deps: Deps,
  reply: FastifyReply,
  shown: {
    readonly names: PlatformNames;
    readonly browserId: string;
    readonly pending: PendingSession;
    readonly signIn: SignInId | null;
    readonly changed?: boolean;
  },
): Promise<FastifyReply> => {
  const { names, browserId, pending, signIn } = shown;
  const { platform } = names;
  const loaded = await deps.log.load(platform, [
    ...sessionRequests(pending.session, { withSecrets: true }),
    ...(signIn === null ? [] : [{ streamId: signIn, follow: true, withSecrets: true }]),
  ]);
  const platformState = foldPlatform(loaded);
  if (platformState.status !== 'active')
    throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
  const { document } = platformState;
  const session = loadedSession(loaded, pending.session);
  if (session === null) return sendPage(reply, 404, unknownLinkPage(document));
  const { state } = session;
  const issuer = issuerOf(document, deps.config.publicUrl);
  const path = pathOf(issuer);
  const status = sessionStatus({ session: state, grant: session.grant, standing: session.standing, now: loaded.now }) ?? 'revoked';
  const client = foldClient(loaded, state.terms.client);
  const keys = await deps.keys.of(platform, foldKeyRing(loaded));
  if (status !== 'pending' || client.status !== 'active' || !canBeAnswered(state.terms, keys))
    return sendPage(reply, 410, sessionEndPage({ document, path, status: status === 'pending' ? 'revoked' : status }));

  const csrf = csrfToken(deps, platform, browserId);
  const seal = (change: Partial<PendingSession>): string => sealSession(deps, platform, { ...pending, ...change });
  const signedIn = signIn === null ? null : signedInOf(deps, loaded, signIn, platform);
  if (signedIn === null) {
    const sealed = seal({ signIn: null, webhookHosts: [] });
    return sendPage(reply, 200, signInPage({ document, path, csrf, sealed, clientName: client.name, failed: false }));
  }
  const webhookHosts = await webhookHostsOf(deps, platform, state.endpoints);
  const beginning = beginningOf(deps, loaded, session, platform);
  const from: AgentOrigin | null =
    beginning === null ? null : { address: beginning['address'] ?? '', program: beginning['userAgent'] ?? '' };
  const { scopes, resources } = state.terms;
  const view = {
    document,
    path,
    issuer,
    client,
    scopes,
    resources,
    email: signedIn.email,
    staysConnected: staysConnected({ document, client, scopes }),
    isUnidentified: client.clientId === document.agentSignUp?.unidentifiedClient,
    from,
    minutesAgo: Math.max(0, Math.floor((loaded.now - state.startedAt) / 60_000)),
    webhookHosts,
    check: checkOf({ platform, keys, session, pending, userCode: beginning?.['userCode'] ?? null }),
    offer: offerContexts(
      { document, issuer },
      { resources, pinnedContext: pinnedContextOf({ document, issuer }, resources) },
      signedIn.contexts,
    ),
    changed: shown.changed ?? false,
    csrf,
    sealed: seal({ signIn: { id: signedIn.id, account: signedIn.account }, webhookHosts }),
  };
  return sendPage(reply, shown.changed === true ? 409 : 200, connectPage(view));
};

/** A session that somebody has just shown to be meant, before anybody is signed in for it. */
export const pendingSession = (
  { id, state }: { readonly id: SessionId; readonly state: LoadedSession['state'] },
  of: Pick<PendingSession, 'entry' | 'browserId'>,
): PendingSession => ({
  session: id,
  clientId: state.terms.clientId,
  signIn: null,
  webhookHosts: [],
  expiresAt: state.terms.expiresAt * 1000,
  ...of,
});
