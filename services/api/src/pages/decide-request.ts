import { randomToken } from '@grantlog/crypto';
import type { ClientRecord, GrantId, GrantState, GrantTerms, NameId, PlatformDocument } from '@grantlog/domain';
import { clientDecider, grantDecider, keyRingStream, nameDecider, platformStream, standing } from '@grantlog/domain';
import type { Actor, Loaded, Plan } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { authorizationFailure, authorizationSuccess, OAuthError } from '@grantlog/protocol';
import { commitOn, forgetConsent, type PlatformNames, rememberConsent } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldAccount, foldClient, foldGrant, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolveClient } from '../platforms/resolve-client.ts';
import { codeOf } from '../tokens/issue-tokens.ts';
import type { PendingDecision } from './authorization-request.ts';
import { handOn, isRemembered, memoryOf, recall } from './consent-memory.ts';
import { judgeContext, offerContexts } from './context-choice.ts';
import { type SignedIn, signedInOf } from './signed-in.ts';
import { isStillAllowed } from './still-allowed.ts';

type Decided = { readonly location: string };

/** What comes of a request that nobody was asked about: an answer, or why somebody has to be. */
export type Unattended =
  | ({ readonly outcome: 'answered' } & Decided)
  /** `consent`: exactly this has not been allowed, or not any more. `interaction`: it has, and something else is the person's to say. */
  | { readonly outcome: 'asks'; readonly why: 'consent' | 'interaction' };

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

/** Nobody clicked: what was remembered did. */
const ofMemory: Actor = { kind: 'system', id: 'remembered consent' };

type Living = NonNullable<Parameters<typeof handOn>[1]['living']>;

/** Whether a client that its own document describes says something else by now than when it was allowed; people are asked about that anew. */
const isOtherBy = (of: { readonly client: ClientRecord; readonly news: readonly unknown[]; readonly living: Living }): boolean =>
  of.news.length > 0 || (of.client.how === 'metadata_document' && of.client.reviewPosition > of.living.firstPosition);

/** What a decision leaves in the memory of exactly this. */
const remember = (of: {
  readonly loaded: Loaded;
  readonly memory: NameId;
  /** The grant whose consent was remembered; null for a decision of the person. */
  readonly living: Living | null;
  readonly allow: boolean;
  readonly to: GrantId;
  readonly party: Parameters<typeof isRemembered>[0];
}) => {
  const { loaded, memory, living, to } = of;
  if (!of.allow) return [forgetConsent(loaded, memory)];
  if (living !== null) return handOn(loaded, { memory, living, to });
  return isRemembered(of.party) ? [rememberConsent(loaded, memory, to)] : [];
};

type Decision = {
  readonly pending: PendingDecision;
  readonly signIn: NonNullable<PendingDecision['signIn']>;
  readonly allow: boolean;
  /** What the person chose, as their form names it; null for none. Judged here, by the account as it stands. */
  readonly context: string | null;
  /** Of the person's browser. */
  readonly address: string;
  readonly correlationId: string;
};

/** @param remembered the grant that stands for what was allowed before, where nobody is asked; null for a decision of the person. */
const decide = async (deps: Deps, names: PlatformNames, decision: Decision, remembered: GrantId | null): Promise<Unattended> => {
  const { platform } = names;
  const { pending, signIn, allow, correlationId } = decision;
  const { request } = pending;
  const memory = memoryOf(names, signIn.account, request);
  const recalled = [memory, remembered].flatMap((streamId) => streamId ?? []);
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
      ...recalled.map((streamId) => ({ streamId })),
    ],
    decide: async (loaded): Promise<Plan<Unattended>> => {
      const platformState = foldPlatform(loaded);
      const signedIn: SignedIn | null = signedInOf(deps, loaded, signIn.id, platform);
      if (platformState.status !== 'active' || signedIn === null || signedIn.account !== signIn.account) {
        throw stale('You are not signed in any more. Go back to the app and begin again');
      }
      const grant = foldGrant(loaded, request.grantId);
      const logged = foldClient(loaded, clientStream);
      const asked = { names, document: platformState.document, clientId: request.clientId, logged, address: decision.address };
      // What was decided before is repeated, whatever the client's site says by now.
      const isRepeated = grant.status !== 'none' && logged.status !== 'none';
      const { state: client, news } = isRepeated ? { state: logged, news: [] } : await resolveClient(deps, { ...asked, now: loaded.now });
      const stands = standing({ firstPosition: null, platform: platformState, client, account: foldAccount(loaded, signIn.account) });
      if (stands !== 'good' || client.status !== 'active') throw stale('The app or your account cannot be used any more');
      if (grant.status !== 'none') {
        const again = await repeat(deps, names, loaded, pending, grant);
        if (again === null) throw stale('You have decided this request already');
        return { commit: null, outcome: { outcome: 'answered', ...again } };
      }
      const { document } = platformState;
      const issuer = issuerOf(document, deps.config.publicUrl);
      if (!isStillAllowed(request, { document, client, issuer }))
        throw stale('What this page asks for is not allowed any more. Go back to the app and begin again');
      const living = remembered === null || memory === null ? null : recall(loaded, { memory, owner: remembered });
      if (remembered !== null && (living === null || isOtherBy({ client, news, living }) || !isRemembered({ document, client })))
        return { commit: null, outcome: { outcome: 'asks', why: 'consent' } };
      // What was chosen then, or since: it carries over while the account has it.
      const wanted = living === null ? decision.context : (request.pinnedContext ?? living.context);
      const judged = judgeContext(offerContexts({ document, issuer }, request, signedIn.contexts), wanted);
      if (living !== null && judged.outcome === 'refused') return { commit: null, outcome: { outcome: 'asks', why: 'interaction' } };
      if (allow && judged.outcome === 'refused') throw stale(`${judged.why}. Go back to the app and begin again`);
      const chosen = judged.outcome === 'chosen' ? judged.context : null;
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
        ...(remembered === null ? {} : { remembered }),
        ...(request.pinnedContext === null ? {} : { contextPinned: true }),
        tokenNonce,
      };
      const code = codeTermsOf(document, pending, { now: loaded.now, tokenKeyId: keys.mintingTokenKeyId });
      const { tokenNonce: _, ...denied } = terms;
      const command = allow ? ({ type: 'authorize', terms, code, context: chosen } as const) : ({ type: 'deny', terms: denied } as const);
      const { events } = grantDecider.decide(command, grant);
      // A client that is described by a document enters the log here, and so does what its document says anew.
      const ofClient = allow ? [...news, ...clientDecider.decide({ type: 'use' }, client).events] : [];
      const pushed = claimPushed(loaded, request);
      const memories = memory === null ? [] : remember({ loaded, memory, living, allow, to: request.grantId, party: { document, client } });
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
          { actor: living === null ? { kind: 'account', id: signIn.account } : ofMemory, correlationId },
          {
            // The client first: what it was described as when it was allowed is what stands before the grant.
            writes: [{ streamId: clientStream, events: ofClient }, { streamId: request.grantId, events }, ...pushed, ...memories],
            // Whoever takes the consent back before this is recorded has taken this back as well.
            reads: [platformStream, keyRingStream, clientStream, signIn.id, signIn.account, ...(living === null ? [] : recalled)],
          },
        ),
        outcome: { outcome: 'answered', location },
      };
    },
  });
  return outcome;
};

/**
 * Writes one decision of one person about one request; a second click finds the first. In the same commit: the context that the
 * person chose, that a client is in use, that a pushed request has been, and what is remembered of it. Who denies is asked again.
 */
export const decideRequest = async (deps: Deps, names: PlatformNames, decision: Decision): Promise<Decided> => {
  const outcome = await decide(deps, names, decision, null);
  if (outcome.outcome !== 'answered') throw new Error('who has clicked is not asked');
  return outcome;
};

/**
 * Opens a grant of its own for a request that the person has allowed before, in a grant that still stands; or tells why they
 * have to be asked, and writes nothing.
 *
 * @param decision.remembered the grant that owns the memory, as it was looked up.
 */
export const decideUnattended = (
  deps: Deps,
  names: PlatformNames,
  decision: Pick<Decision, 'pending' | 'signIn' | 'address' | 'correlationId'> & { readonly remembered: GrantId },
): Promise<Unattended> => decide(deps, names, { ...decision, allow: true, context: null }, decision.remembered);

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
