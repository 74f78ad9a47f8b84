import { randomToken } from '@grantlog/crypto';
import type { GrantState, GrantTerms, PlatformDocument } from '@grantlog/domain';
import { clientDecider, grantDecider, keyRingStream, nameDecider, platformStream, standing } from '@grantlog/domain';
import type { Loaded, Plan } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { authorizationFailure, authorizationSuccess, OAuthError } from '@grantlog/protocol';
import { commitOn, type PlatformNames } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldAccount, foldClient, foldGrant, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { codeOf } from '../tokens/issue-tokens.ts';
import type { PendingDecision } from './authorization-request.ts';
import { type SignedIn, signedInOf } from './signed-in.ts';
import { isStillAllowed } from './still-allowed.ts';

type Decided = { readonly location: string };

export const stale = (description: string): OAuthError => new OAuthError('invalid_request', { description });

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

/** A pushed request is used up by whoever decides it first (RFC 9126 §7.3). @throws OAuthError where it has been. */
const claimPushed = (loaded: Loaded, { pushed, grantId }: PendingDecision['request']) => {
  if (pushed === null) return [];
  const { events, refusal } = nameDecider.decide(
    { type: 'claim', kind: 'request_uri', owner: grantId },
    fold(nameDecider, loaded.stream(pushed)),
  );
  if (refusal !== undefined) throw stale('This request has been decided already. Go back to the app and begin again');
  return [{ streamId: pushed, events }];
};

/**
 * Writes one decision of one person about one request; a second click finds the first. In the same commit: the context that the
 * person chose, that a client is in use, and that a pushed request has been.
 */
export const decideRequest = async (
  deps: Deps,
  names: PlatformNames,
  decision: {
    readonly pending: PendingDecision;
    readonly signIn: NonNullable<PendingDecision['signIn']>;
    readonly allow: boolean;
    /** What the person chose, already found among the account's own; null for none. */
    readonly context: string | null;
    readonly correlationId: string;
  },
): Promise<Decided> => {
  const { platform } = names;
  const { pending, signIn, allow, context, correlationId } = decision;
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
      ...(request.pushed === null ? [] : [{ streamId: request.pushed }]),
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
        ...(request.claims === null ? {} : { claims: request.claims }),
        ...(request.pinnedContext === null ? {} : { contextPinned: true }),
        tokenNonce,
      };
      const code = codeTermsOf(document, pending, { now: loaded.now, tokenKeyId: keys.mintingTokenKeyId });
      const { tokenNonce: _, ...denied } = terms;
      const { events } = grantDecider.decide(allow ? { type: 'authorize', terms, code, context } : { type: 'deny', terms: denied }, grant);
      const used = allow ? clientDecider.decide({ type: 'use' }, client).events : [];
      const pushed = claimPushed(loaded, request);
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
            writes: [{ streamId: request.grantId, events }, { streamId: clientStream, events: used }, ...pushed],
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
  ...(request.dpopJkt === null ? {} : { dpopJkt: request.dpopJkt }),
});
