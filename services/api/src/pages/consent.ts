import { randomToken } from '@grantlog/crypto';
import type { GrantState, GrantTerms, PlatformDocument } from '@grantlog/domain';
import { grantDecider, keyRingStream, platformStream, standing } from '@grantlog/domain';
import type { Loaded, Plan } from '@grantlog/eventsourcing';
import { execute } from '@grantlog/eventsourcing';
import { authorizationFailure, authorizationSuccess, OAuthError, readParameters } from '@grantlog/protocol';
import { commitOn, type PlatformNames } from '@grantlog/provisioning';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { requireOwnForm } from '../http/browser.ts';
import { formBody } from '../http/form-body.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldAccount, foldClient, foldGrant, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { codeOf } from '../tokens/issue-tokens.ts';
import type { PendingDecision } from './authorization-request.ts';
import { openDecision } from './authorization-request.ts';
import { readSignInCookie, type SignedIn, signedInOf } from './signed-in.ts';
import { isStillAllowed } from './still-allowed.ts';

type Decided = { readonly location: string };

const stale = (description: string): OAuthError => new OAuthError('invalid_request', { description });

/** The grant that an earlier click on the same page has opened: its redirect once more, or null where it cannot be repeated. */
const repeat = async (
  deps: Deps,
  names: PlatformNames,
  loaded: Loaded,
  pending: PendingDecision,
  grant: GrantState,
): Promise<Decided | null> => {
  const platform = foldPlatform(loaded);
  if (platform.status === 'none') return null;
  const { document } = platform;
  const issuer = issuerOf(document, deps.config.publicUrl);
  const { redirectUri, grantId } = pending.request;
  const state = pending.request.state ?? undefined;
  if (grant.status === 'denied') return { location: denialOf(pending, issuer) };
  // The page was another person's: their code is not this one's to have.
  if (grant.status !== 'authorized' || grant.terms.account !== pending.signIn?.account) return null;
  const keys = await deps.keys.of(names.platform, foldKeyRing(loaded));
  if (keys.tokenKey(grant.code.tokenKeyId) === null) return null;
  const code = codeOf({ platform: names.platform, document, issuer, keys, grantId, terms: grant.terms }, grant.code);
  return { location: authorizationSuccess({ redirectUri, code, state, issuer }) };
};

const denialOf = ({ request }: PendingDecision, issuer: string): string =>
  authorizationFailure({
    redirectUri: request.redirectUri,
    error: new OAuthError('access_denied', { description: 'The person has denied the request' }),
    state: request.state ?? undefined,
    issuer,
  });

/** Writes one decision of one person about one request; a second click finds the first. */
const decideRequest = async (
  deps: Deps,
  names: PlatformNames,
  decision: {
    readonly pending: PendingDecision;
    readonly signIn: NonNullable<PendingDecision['signIn']>;
    readonly allow: boolean;
    readonly correlationId: string;
  },
): Promise<Decided> => {
  const { platform } = names;
  const { pending, signIn, allow, correlationId } = decision;
  const { request } = pending;
  const clientStream = names.client(request.clientId);
  const tokenNonce = randomToken(32);

  const { outcome } = await execute({
    log: deps.log,
    platform,
    requests: [
      ...platformStreams,
      { streamId: clientStream },
      { streamId: signIn.id, follow: true, withSecrets: true },
      { streamId: request.grantId },
    ],
    decide: async (loaded): Promise<Plan<Decided>> => {
      const platformState = foldPlatform(loaded);
      const client = foldClient(loaded, clientStream);
      const signedIn: SignedIn | null = signedInOf(deps, loaded, signIn.id, platform);
      if (platformState.status !== 'active' || signedIn === null || signedIn.account !== signIn.account) {
        throw stale('You are not signed in any more. Go back to the app and begin again');
      }
      const stands = standing({ firstPosition: null, platform: platformState, client, account: foldAccount(loaded, signIn.account) });
      if (stands !== 'good' || client.status !== 'active') throw stale('The app or your account cannot be used any more');
      const grant = foldGrant(loaded, request.grantId);
      if (grant.status !== 'none') {
        const again = await repeat(deps, names, loaded, pending, grant);
        if (again === null) throw stale('You have decided this request already');
        return { commit: null, outcome: again };
      }
      const { document } = platformState;
      const issuer = issuerOf(document, deps.config.publicUrl);
      if (!isStillAllowed(request, { document, client, issuer }))
        throw stale('What this page asks for is not allowed any more. Go back to the app and begin again');
      const keys = await deps.keys.of(platform, foldKeyRing(loaded));
      const terms: GrantTerms = {
        flow: 'authorization_code',
        client: clientStream,
        clientId: client.clientId,
        account: signIn.account,
        session: null,
        signIn: signIn.id,
        scopes: request.scopes,
        resources: request.resources,
        authTime: signedIn.authTime,
        amr: signedIn.amr,
        tokenNonce,
      };
      const code = codeTermsOf(document, pending, { now: loaded.now, tokenKeyId: keys.mintingTokenKeyId });
      const { tokenNonce: _, ...denied } = terms;
      const { events } = grantDecider.decide(allow ? { type: 'authorize', terms, code } : { type: 'deny', terms: denied }, grant);
      const location = allow
        ? authorizationSuccess({
            redirectUri: request.redirectUri,
            code: codeOf({ platform, document, issuer, keys, grantId: request.grantId, terms }, code),
            state: request.state ?? undefined,
            issuer,
          })
        : denialOf(pending, issuer);
      return {
        commit: commitOn(
          loaded,
          { actor: { kind: 'account', id: signIn.account }, correlationId },
          {
            writes: [{ streamId: request.grantId, events }],
            reads: [platformStream, keyRingStream, clientStream, signIn.id, signIn.account],
          },
        ),
        outcome: { location },
      };
    },
  });
  return outcome;
};

const codeTermsOf = (
  document: PlatformDocument,
  { request }: PendingDecision,
  at: { readonly now: number; readonly tokenKeyId: number },
) => ({
  expiresAt: Math.floor(at.now / 1000) + document.lifetimes.codeSeconds,
  redirectUri: request.redirectUri,
  redirectUriSent: request.redirectUriSent,
  codeChallenge: request.codeChallenge,
  tokenKeyId: at.tokenKeyId,
  nonce: request.nonce,
});

/** Where the consent form is sent: one decision of the person it was shown to, answered by a redirect to the app. */
export const consentForm =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    app.post('/:platform/consent', { config: { authentication: 'browser', errors: 'page' } }, async (request, reply) => {
      const names = await resolvePlatform(deps, request);
      const { platform } = names;
      const sent = readParameters(formBody(request), ['csrf', 'request', 'decision']);
      const loaded = await deps.log.load(platform, platformStreams);
      const platformState = foldPlatform(loaded);
      if (platformState.status !== 'active')
        throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
      const origin = new URL(issuerOf(platformState.document, deps.config.publicUrl)).origin;
      const browserId = requireOwnForm(deps, request, { platform, origin, csrf: sent.get('csrf') });
      const pending = openDecision(deps, platform, { sealed: sent.get('request'), browserId, now: loaded.now });
      const { signIn } = pending ?? { signIn: null };
      // The page was shown to one account; whoever is signed in by now is the one who must have clicked.
      if (pending === null || signIn === null || readSignInCookie(deps, request, platform) !== signIn.id) {
        throw stale('This page is too old, or somebody else has signed in meanwhile. Go back to the app and begin again');
      }
      const decision = sent.require('decision');
      if (decision !== 'allow' && decision !== 'deny') throw stale('decision must be allow or deny');
      const { location } = await decideRequest(deps, names, { pending, signIn, allow: decision === 'allow', correlationId: request.id });
      // 303, so that the form is not sent on to the client (RFC 9700 §4.12).
      return reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').redirect(location, 303);
    });
  };
