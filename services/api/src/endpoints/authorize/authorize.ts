import { uuidv7 } from '@grantlog/crypto';
import type { GrantId } from '@grantlog/domain';
import type { LoadRequest } from '@grantlog/eventsourcing';
import { authorizationFailure, isRedirectableCode, OAuthError, readParameters } from '@grantlog/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../../deps.ts';
import { csrfToken, ensureBrowserId } from '../../http/browser.ts';
import { formBody } from '../../http/form-body.ts';
import { formTargetOf, sendPage } from '../../http/page.ts';
import type { EndpointPath } from '../../http/require-switch.ts';
import { PathNotOnPlatform } from '../../http/require-switch.ts';
import type { AuthorizationRequest } from '../../pages/authorization-request.ts';
import { sealDecision } from '../../pages/authorization-request.ts';
import type { Unattended } from '../../pages/decide-request.ts';
import { answerUnattended, isNavigation } from '../../pages/remembered-consent.ts';
import { showConsent } from '../../pages/show-consent.ts';
import { signInPage } from '../../pages/sign-in-page.ts';
import type { SignedIn } from '../../pages/signed-in.ts';
import { readSignInCookie, signedInOf } from '../../pages/signed-in.ts';
import { toClient } from '../../pages/to-client.ts';
import { isVerified } from '../../platforms/is-verified.ts';
import { issuerOf, pathOf } from '../../platforms/issuer.ts';
import { foldClient, foldKeyRing, foldPlatform, platformStreams } from '../../platforms/load-parties.ts';
import { resolveClient } from '../../platforms/resolve-client.ts';
import { resolvePlatform } from '../../platforms/resolve-platform.ts';
import { openPushedRequest, refuseUsedRequest } from '../../pushed-requests/pushed-request.ts';
import { asksForOpenid } from './asks-for-openid.ts';
import { checkClient } from './check-client.ts';
import { checkRedirectUri } from './check-redirect-uri.ts';
import type { CheckedRequest } from './check-request.ts';
import { authorizationParameters, checkRequest } from './check-request.ts';
import { expectedAccount, readHintedAccount } from './read-hinted-account.ts';

/** How long a person may take to decide, in milliseconds. */
const decisionTime = 3_600_000;

/** Whether the sign-in at hand answers the request, or the person has to prove again who they are (OIDC Core §3.1.2.1). */
const sufficesFor = (
  signedIn: SignedIn | null,
  checked: CheckedRequest,
  at: { readonly now: number; readonly hinted: string | null },
): signedIn is SignedIn => {
  if (signedIn === null || (at.hinted !== null && signedIn.account !== at.hinted)) return false;
  if (checked.prompt.kind === 'interactive' && (checked.prompt.steps.has('login') || checked.prompt.steps.has('select_account')))
    return false;
  // `max_age=0` asks for what `prompt=login` asks for (OIDC Core §3.1.2.1).
  return checked.maxAge === undefined || at.now / 1000 - signedIn.authTime < checked.maxAge;
};

/** What `prompt=none` comes to where somebody would have to be asked (OIDC Core §3.1.2.6). */
const silentRefusals = {
  consent: () => new OAuthError('consent_required', { description: 'The person has not allowed exactly this, or has to decide again' }),
  interaction: () => new OAuthError('interaction_required', { description: 'The person has to be shown a page' }),
} as const satisfies Record<Extract<Unattended, { outcome: 'asks' }>['why'], () => OAuthError>;

/**
 * The authorization endpoint (RFC 6749 §3.1). It shows a page or redirects an error, and a decision is what the form of the page
 * brings. It writes nothing itself, but where what somebody allowed before still stands: that is answered without asking.
 */
export const authorizationEndpoint =
  (deps: Deps, paths: readonly EndpointPath[]) =>
  (app: FastifyInstance): void => {
    const answer = (needed: EndpointPath['onlyWith']) => async (request: FastifyRequest, reply: FastifyReply) => {
      const names = await resolvePlatform(deps, request);
      const { platform } = names;
      const sent = request.method === 'POST' ? formBody(request) : request.query;
      const pushed = await openPushedRequest(deps, names, sent);
      const source = pushed?.parameters ?? sent;

      // 1. Until client and redirect URI are proved, every answer is a page of our own.
      const address = readParameters(source, ['client_id', 'redirect_uri']);
      const clientId = address.require('client_id');
      Object.assign(request.traced, { client: clientId, attempt: request.id });
      const clientStream = names.client(clientId);
      const signInId = readSignInCookie(deps, request, platform);
      const also: readonly LoadRequest[] = [
        ...(signInId === null ? [] : [{ streamId: signInId, follow: true, withSecrets: true }]),
        ...(pushed === null ? [] : [{ streamId: pushed.name }]),
      ];
      const loaded = await deps.log.load(platform, [...platformStreams, { streamId: clientStream }, ...also]);
      const platformState = foldPlatform(loaded);
      if (platformState.status !== 'active')
        throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
      const { document } = platformState;
      if (needed !== null && !document.switches[needed]) throw new PathNotOnPlatform(`${platform} does not switch ${needed} on`);
      if (pushed !== null) refuseUsedRequest(loaded, pushed);
      const logged = foldClient(loaded, clientStream);
      const resolved = await resolveClient(deps, { names, document, clientId, logged, address: request.ip, now: loaded.now });
      const client = checkClient(resolved.state);
      const destination = checkRedirectUri({ document, client }, address.get('redirect_uri'), asksForOpenid(document, source));

      // 2. From here the client hears of its errors, with its state and our issuer (RFC 9207 §2).
      const issuer = issuerOf(document, deps.config.publicUrl);
      const signedIn = signInId === null ? null : signedInOf(deps, loaded, signInId, platform);
      const state = stateOf(source);
      const refuse = (error: OAuthError): FastifyReply => {
        request.traced.refusal = { error: error.code, detail: error.description };
        request.log.info({ error: error.code, reason: error.reason }, 'authorization refused');
        return reply
          .header('cache-control', 'no-store')
          .redirect(authorizationFailure({ redirectUri: destination.redirectUri, error, state, issuer }), 303);
      };
      let checked: CheckedRequest;
      let hinted: string | null;
      try {
        checked = checkRequest({ document, client, issuer, isPushed: pushed !== null }, readParameters(source, authorizationParameters));
        const { publicJwks: keys } = await deps.keys.of(platform, foldKeyRing(loaded));
        const hint = await readHintedAccount(checked.idTokenHint, { issuer, clientId: client.clientId, keys, now: loaded.now });
        hinted = expectedAccount(hint, checked.subject);
      } catch (error) {
        if (!(error instanceof OAuthError) || !isRedirectableCode(error.code)) throw error;
        // A client that nobody has looked at could use our errors to redirect people anywhere (RFC 9700 §4.11.2).
        if (!isVerified(document, client) && signedIn === null) throw error;
        return refuse(error);
      }

      // 3. Who is there, and what do they see?
      const identified = sufficesFor(signedIn, checked, { now: loaded.now, hinted });
      const isSilent = checked.prompt.kind === 'silent';
      if (isSilent && !identified) {
        return refuse(new OAuthError('login_required', { description: 'Nobody is signed in, or not whom and as the request asks for' }));
      }
      const pending: AuthorizationRequest = {
        clientId: client.clientId,
        redirectUri: destination.redirectUri,
        redirectUriSent: destination.sent,
        state: state ?? null,
        scopes: checked.scopes,
        resources: checked.resources,
        nonce: checked.nonce,
        codeChallenge: checked.codeChallenge,
        claims: checked.claims,
        dpopJkt: checked.dpopJkt,
        pinnedContext: checked.pinnedContext,
        asksAgain: checked.prompt.kind === 'interactive' && checked.prompt.steps.has('consent'),
        pushed: pushed?.name ?? null,
        attempt: request.id,
        hinted,
        grantId: uuidv7(loaded.now) as GrantId,
        expiresAt: loaded.now + decisionTime,
      };
      const browserId = ensureBrowserId(deps, request, reply, platform);
      if (!identified) {
        const csrf = csrfToken(deps, platform, browserId);
        const sealed = sealDecision(deps, platform, { request: pending, browserId, signIn: null });
        const [path, formTargets] = [pathOf(issuer), [formTargetOf(destination.redirectUri)]];
        return sendPage(reply, 200, signInPage({ document, path, csrf, sealed, clientName: client.name, formTargets, failed: false }));
      }
      const decision = { request: pending, browserId, signIn: { id: signedIn.id, account: signedIn.account } };
      const shown = { names, document, client, browserId, signedIn, decision };
      if (isNavigation(request, { framed: isSilent })) {
        const unattended = await answerUnattended(deps, { ...shown, address: request.ip, correlationId: request.traceparent });
        if (unattended.outcome === 'answered') {
          request.traced.grant = pending.grantId;
          return toClient(reply, unattended.location);
        }
        if (isSilent) return refuse(silentRefusals[unattended.why]());
      }
      return isSilent ? refuse(silentRefusals.interaction()) : showConsent(deps, reply, shown);
    };
    for (const { path, onlyWith } of paths) {
      app.get(path, { config: { authentication: 'browser', errors: 'page', trace: 'authorize' } }, answer(onlyWith));
      app.post(path, { config: { authentication: 'browser', errors: 'page', trace: 'authorize' } }, answer(onlyWith));
    }
  };

/** `state` as it came, for answers to a request whose other parameters may be at fault. */
const stateOf = (source: unknown): string | undefined => {
  try {
    return readParameters(source, ['state']).get('state');
  } catch {
    return undefined;
  }
};
