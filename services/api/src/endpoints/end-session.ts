import type { ClientState, SignInState } from '@grantlog/domain';
import { signInDecider } from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import { OAuthError, readParameters } from '@grantlog/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { csrfToken, ensureBrowserId } from '../http/browser.ts';
import { formBody } from '../http/form-body.ts';
import { sendPage } from '../http/page.ts';
import { endSignIns } from '../logout/end-sign-ins.ts';
import { type LogoutRequest, openPassed, sealForForm, sealForPassing } from '../logout/logout-request.ts';
import { readLogoutHint } from '../logout/read-logout-hint.ts';
import { returnAddressOf } from '../logout/return-address.ts';
import { confirmSignOutPage, signedOutPage } from '../pages/sign-out-page.ts';
import { clearSignInCookie, readSignInCookie } from '../pages/signed-in.ts';
import { issuerOf, pathOf } from '../platforms/issuer.ts';
import { foldClient, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

/** What the endpoint reads. `logout_hint` and `ui_locales` are read as well, by not minding them. */
export const endSessionParameters = ['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state'] as const;

/**
 * What is done with this browser's sign-in. `end`: the app has shown an ID token of the very account, so it is no stranger who
 * asks. `ask`: somebody is signed in, and anybody may have sent them. `nothing`: nobody is signed in here.
 */
const stepFor = (signIn: SignInState | null, hinted: string | null): 'end' | 'ask' | 'nothing' => {
  const account = signIn !== null && 'authTime' in signIn ? signIn.account : null;
  if (account !== null && account === hinted) return 'end';
  return signIn?.status === 'active' ? 'ask' : 'nothing';
};

/**
 * A form of another site comes without the cookie (`SameSite=Lax`), so nothing is known yet of who is signed in. Browsers that do
 * not say how far away it is say at least where it is from.
 */
const comesWithoutCookies = ({ method, headers }: FastifyRequest, issuer: string): boolean => {
  const { origin, 'sec-fetch-site': site } = headers;
  if (method !== 'POST') return false;
  return site === undefined ? origin !== undefined && origin !== new URL(issuer).origin : site === 'cross-site';
};

/**
 * The end session endpoint: an app signs a person out of the platform, too. It ends the sign-in of the browser at hand and, where
 * that is the same account's, the one that the ID token is of. Where nobody is signed in, an ID token ends nothing: it is no secret.
 *
 * @see OIDC RP-Initiated Logout 1.0
 */
export const endSessionEndpoint =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      const names = await resolvePlatform(deps, request);
      const { platform } = names;
      const own = readSignInCookie(deps, request, platform);
      const loaded = await deps.log.load(platform, [...platformStreams, ...(own === null ? [] : [{ streamId: own }])]);
      const platformState = foldPlatform(loaded);
      if (platformState.status !== 'active')
        throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
      const { document } = platformState;
      const issuer = issuerOf(document, deps.config.publicUrl);
      const path = pathOf(issuer);

      // 1. What is asked for, and by whom.
      const ask = async (): Promise<LogoutRequest> => {
        const source = request.method === 'POST' ? formBody(request) : request.query;
        const sealed = request.method === 'GET' ? readParameters(source, ['request']).get('request') : undefined;
        if (sealed !== undefined) {
          const passed = openPassed(deps, platform, { sealed, now: loaded.now });
          if (passed !== null) return passed;
          throw new OAuthError('invalid_request', { description: 'This address is too old. Go back to the app and sign out again' });
        }
        const sent = readParameters(source, endSessionParameters);
        const { publicJwks: keys } = await deps.keys.of(platform, foldKeyRing(loaded));
        const read = await readLogoutHint(sent.get('id_token_hint'), { issuer, keys, now: loaded.now });
        if (read.kind === 'foreign') request.log.info({ reason: read.reason }, 'id_token_hint is not an ID token of this platform');
        const hint = read.kind === 'genuine' ? read.hint : null;
        const named = sent.get('client_id');
        if (named !== undefined && hint !== null && named !== hint.clientId) {
          const description =
            'client_id is not the app that id_token_hint was given to: send the ID token of this app, or only one of both';
          throw new OAuthError('invalid_request', { description });
        }
        const [redirectUri = null, state = null] = [sent.get('post_logout_redirect_uri'), sent.get('state')];
        return { hint, clientId: named ?? hint?.clientId ?? null, redirectUri, state };
      };
      const asked = await ask();
      const client = await clientOf(asked.clientId);
      const back = returnAddressOf(asked, { document, client });
      if (back.kind === 'refused') throw new OAuthError('invalid_request', { description: back.description });
      if (own === null && comesWithoutCookies(request, issuer)) {
        const sealed = sealForPassing(deps, platform, { request: asked, now: loaded.now });
        return reply.header('cache-control', 'no-store').redirect(`${issuer}/oauth/end_session?request=${encodeURIComponent(sealed)}`, 303);
      }

      // 2. Who is signed in here, and is that whom the app means?
      const step = stepFor(own === null ? null : fold(signInDecider, loaded.stream(own)), asked.hint?.account ?? null);
      if (step === 'ask') {
        const browserId = ensureBrowserId(deps, request, reply, platform);
        const csrf = csrfToken(deps, platform, browserId);
        const sealed = sealForForm(deps, platform, { request: asked, browserId, now: loaded.now });
        const clientName = client?.status === 'active' ? client.name : null;
        return sendPage(reply, 200, confirmSignOutPage({ document, path, back, csrf, sealed, clientName }));
      }
      if (step === 'end' && own !== null)
        await endSignIns(deps, { platform, own, also: asked.hint?.signIn ?? null, correlationId: request.traceparent });
      // One that was not shown stays: a request that came without it may be anybody's.
      if (own !== null) clearSignInCookie(deps, reply, platform);

      // 3. Back to the app. Where nobody was signed in, a link of anybody's could have led here: only an app that somebody
      // answers for is gone to without a word (RFC 9700 §4.11.2).
      if (back.kind === 'registered' && (step === 'end' || (asked.hint !== null && back.verified)))
        return reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).redirect(back.url, 303);
      return sendPage(reply, 200, signedOutPage({ document, path, back }));

      async function clientOf(clientId: string | null): Promise<ClientState | null> {
        if (clientId === null) return null;
        const streamId = names.client(clientId);
        return foldClient(await deps.log.load(platform, [{ streamId }]), streamId);
      }
    };
    const config = { authentication: 'browser', errors: 'page' } as const;
    // Whoever only looks at what is there, by HEAD, signs nobody out.
    app.get('/:platform/oauth/end_session', { config, exposeHeadRoute: false }, answer);
    app.post('/:platform/oauth/end_session', { config }, answer);
  };
