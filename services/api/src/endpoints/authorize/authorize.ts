import { uuidv7 } from '@grantlog/crypto';
import type { GrantId, PlatformDocument } from '@grantlog/domain';
import type { LoadRequest } from '@grantlog/eventsourcing';
import { authorizationFailure, isRedirectableCode, OAuthError, parseScope, readParameters } from '@grantlog/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../../deps.ts';
import { csrfToken, ensureBrowserId } from '../../http/browser.ts';
import { formBody } from '../../http/form-body.ts';
import { sendPage } from '../../http/page.ts';
import type { EndpointPath } from '../../http/require-switch.ts';
import { PathNotOnPlatform } from '../../http/require-switch.ts';
import type { AuthorizationRequest } from '../../pages/authorization-request.ts';
import { sealDecision } from '../../pages/authorization-request.ts';
import { showConsent } from '../../pages/show-consent.ts';
import { signInPage } from '../../pages/sign-in-page.ts';
import type { SignedIn } from '../../pages/signed-in.ts';
import { readSignInCookie, signedInOf } from '../../pages/signed-in.ts';
import { issuerOf, pathOf } from '../../platforms/issuer.ts';
import { foldClient, foldKeyRing, foldPlatform, platformStreams } from '../../platforms/load-parties.ts';
import { resolvePlatform } from '../../platforms/resolve-platform.ts';
import { checkClient } from './check-client.ts';
import { checkRedirectUri } from './check-redirect-uri.ts';
import type { CheckedRequest } from './check-request.ts';
import { authorizationParameters, checkRequest } from './check-request.ts';
import { readHintedAccount } from './read-hinted-account.ts';

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
  return checked.maxAge === undefined || at.now / 1000 - signedIn.authTime <= checked.maxAge;
};

/**
 * The authorization endpoint (RFC 6749 §3.1). It shows a page or redirects an error; it writes nothing: a decision is
 * what the form of the page brings.
 */
export const authorizationEndpoint =
  (deps: Deps, paths: readonly EndpointPath[]) =>
  (app: FastifyInstance): void => {
    const answer = (needed: EndpointPath['onlyWith']) => async (request: FastifyRequest, reply: FastifyReply) => {
      const names = await resolvePlatform(deps, request);
      const { platform } = names;
      const source = request.method === 'POST' ? formBody(request) : request.query;

      // 1. Until client and redirect URI are proved, every answer is a page of our own.
      const address = readParameters(source, ['client_id', 'redirect_uri']);
      const clientStream = names.client(address.require('client_id'));
      const signInId = readSignInCookie(deps, request, platform);
      const also: readonly LoadRequest[] = signInId === null ? [] : [{ streamId: signInId, follow: true, withSecrets: true }];
      const loaded = await deps.log.load(platform, [...platformStreams, { streamId: clientStream }, ...also]);
      const platformState = foldPlatform(loaded);
      if (platformState.status !== 'active')
        throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
      const { document } = platformState;
      if (needed !== null && !document.switches[needed]) throw new PathNotOnPlatform(`${platform} does not switch ${needed} on`);
      const client = checkClient(foldClient(loaded, clientStream));
      const destination = checkRedirectUri({ document, client }, address.get('redirect_uri'), asksForOpenid(document, source));

      // 2. From here the client hears of its errors, with its state and our issuer (RFC 9207 §2).
      const issuer = issuerOf(document, deps.config.publicUrl);
      const signedIn = signInId === null ? null : signedInOf(deps, loaded, signInId, platform);
      const state = stateOf(source);
      const refuse = (error: OAuthError): FastifyReply => {
        request.log.info({ error: error.code, reason: error.reason }, 'authorization refused');
        return reply
          .header('cache-control', 'no-store')
          .redirect(authorizationFailure({ redirectUri: destination.redirectUri, error, state, issuer }), 303);
      };
      let checked: CheckedRequest;
      let hinted: string | null;
      try {
        checked = checkRequest({ document, client, issuer }, readParameters(source, authorizationParameters));
        const { publicJwks: keys } = await deps.keys.of(platform, foldKeyRing(loaded));
        hinted = await readHintedAccount(checked.idTokenHint, { issuer, clientId: client.clientId, keys, now: loaded.now });
      } catch (error) {
        if (!(error instanceof OAuthError) || !isRedirectableCode(error.code)) throw error;
        // A client that registered itself could use our errors to redirect people anywhere (RFC 9700 §4.11.2).
        if (client.how === 'dynamic' && signedIn === null) throw error;
        return refuse(error);
      }

      // 3. Who is there, and what do they see?
      const identified = sufficesFor(signedIn, checked, { now: loaded.now, hinted });
      if (checked.prompt.kind === 'silent') {
        return refuse(
          identified
            ? new OAuthError('consent_required', { description: 'The person has to decide' })
            : new OAuthError('login_required', { description: 'Nobody is signed in' }),
        );
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
        claims: null,
        dpopJkt: null,
        pinnedContext: null,
        asksAgain: checked.prompt.kind === 'interactive' && checked.prompt.steps.has('consent'),
        pushed: null,
        attempt: request.id,
        hinted,
        grantId: uuidv7(loaded.now) as GrantId,
        expiresAt: loaded.now + decisionTime,
      };
      const browserId = ensureBrowserId(deps, request, reply, platform);
      if (!identified) {
        const csrf = csrfToken(deps, platform, browserId);
        const sealed = sealDecision(deps, platform, { request: pending, browserId, signIn: null });
        return sendPage(reply, 200, signInPage({ document, path: pathOf(issuer), csrf, sealed, clientName: client.name, failed: false }));
      }
      const decision = { request: pending, browserId, signIn: { id: signedIn.id, account: signedIn.account } };
      return showConsent(deps, reply, { names, document, client, browserId, signedIn, decision });
    };
    for (const { path, onlyWith } of paths) {
      app.get(path, { config: { authentication: 'browser', errors: 'page' } }, answer(onlyWith));
      app.post(path, { config: { authentication: 'browser', errors: 'page' } }, answer(onlyWith));
    }
  };

/** Whether the scopes come to `openid`, by name or by default; one that cannot be read counts as if they did. */
const asksForOpenid = (document: PlatformDocument, source: unknown): boolean => {
  try {
    const requested = parseScope(readParameters(source, ['scope']).get('scope'));
    return document.scopes.some(
      ({ name, required, default: byDefault }) =>
        name === 'openid' && (required || (requested.length === 0 ? byDefault : requested.includes(name))),
    );
  } catch {
    return true;
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
