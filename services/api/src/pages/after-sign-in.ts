import { uuidv7 } from '@grantlog/crypto';
import type { GrantId, PlatformDocument, SignInId } from '@grantlog/domain';
import { authorizationFailure, OAuthError } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import type { FastifyReply } from 'fastify';
import type { Deps } from '../deps.ts';
import { sendPage } from '../http/page.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldClient, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolveClient } from '../platforms/resolve-client.ts';
import type { PendingDecision } from './authorization-request.ts';
import { showSession } from './connect-show.ts';
import { answerUnattended } from './remembered-consent.ts';
import type { Destination } from './second-step-seal.ts';
import { showConsent } from './show-consent.ts';
import { signedInPage } from './sign-in-page.ts';
import type { SignedIn } from './signed-in.ts';
import { signedInOf } from './signed-in.ts';
import { toClient } from './to-client.ts';
import type { Waiting } from './waiting.ts';

/** A decision as it waits for one who has just signed in: each sign-in decides about a grant of its own, so that a page from the history is nobody else's answer. */
const decisionFor = (pending: PendingDecision, signedIn: Pick<SignedIn, 'id' | 'account'>, now: number): PendingDecision => ({
  ...pending,
  request: { ...pending.request, grantId: uuidv7(now) as GrantId },
  signIn: { id: signedIn.id, account: signedIn.account },
});

/** What waits, as it waits for one who has just signed in; null where nothing does. */
export const waitingFor = (destination: Destination, signedIn: Pick<SignedIn, 'id' | 'account'>, now: number): Waiting | null => {
  switch (destination.kind) {
    case 'decision':
      return { kind: 'decision', pending: decisionFor(destination.pending, signedIn, now) };
    case 'session':
      return { kind: 'session', pending: { ...destination.pending, signIn: { id: signedIn.id, account: signedIn.account } } };
    case 'page':
    case 'nothing':
      return null;
  }
};

/** Shows the consent page of a decision to who is signed in, unless they have allowed it before; or tells the app that somebody else is. */
export const showDecision = async (
  deps: Deps,
  reply: FastifyReply,
  shown: { readonly names: PlatformNames; readonly browserId: string; readonly decision: PendingDecision; readonly signIn: SignInId },
): Promise<FastifyReply> => {
  const { names, browserId, decision } = shown;
  const { platform } = names;
  const clientStream = names.client(decision.request.clientId);
  const loaded = await deps.log.load(platform, [
    ...platformStreams,
    { streamId: clientStream },
    { streamId: shown.signIn, follow: true, withSecrets: true },
  ]);
  const signedIn = signedInOf(deps, loaded, shown.signIn, platform);
  const platformState = foldPlatform(loaded);
  if (signedIn === null || platformState.status !== 'active')
    throw new OAuthError('invalid_request', { description: 'You are not signed in any more. Go back to the app and begin again' });
  const { document } = platformState;
  const { state: client } = await resolveClient(deps, {
    names,
    document,
    clientId: decision.request.clientId,
    logged: foldClient(loaded, clientStream),
    address: reply.request.ip,
    now: loaded.now,
  });
  if (client.status !== 'active')
    throw new OAuthError('unauthorized_client', { description: 'The app that sent you here has been disabled meanwhile' });
  const issuer = issuerOf(document, deps.config.publicUrl);
  const { hinted, redirectUri, state } = decision.request;
  if (hinted !== null && hinted !== signedIn.account) {
    const error = new OAuthError('login_required', { description: 'Somebody else has signed in than the app asked for' });
    return toClient(reply, authorizationFailure({ redirectUri, error, state: state ?? undefined, issuer }));
  }
  const toDecide = { names, document, client, browserId, signedIn, decision };
  const unattended = await answerUnattended(deps, { ...toDecide, address: reply.request.ip, correlationId: reply.request.traceparent });
  if (unattended.outcome === 'asks') return showConsent(deps, reply, toDecide);
  const { clientId, attempt, grantId } = decision.request;
  Object.assign(reply.request.traced, { client: clientId, attempt, grant: grantId });
  return toClient(reply, unattended.location);
};

/** Where somebody is led who is signed in by now and whose browser has its cookie. */
export const goOn = (
  deps: Deps,
  reply: FastifyReply,
  shown: {
    readonly names: PlatformNames;
    readonly document: PlatformDocument;
    readonly browserId: string;
    readonly signedIn: Pick<SignedIn, 'id' | 'account'>;
    readonly destination: Destination;
    readonly now: number;
  },
): FastifyReply | Promise<FastifyReply> => {
  const { names, document, browserId, signedIn, destination } = shown;
  switch (destination.kind) {
    case 'decision': {
      const decision = decisionFor(destination.pending, signedIn, shown.now);
      return showDecision(deps, reply, { names, browserId, decision, signIn: signedIn.id });
    }
    case 'session':
      return showSession(deps, reply, { names, browserId, pending: destination.pending, signIn: signedIn.id });
    case 'page':
      return reply.header('cache-control', 'no-store').redirect(`${issuerOf(document, deps.config.publicUrl)}/${destination.page}`, 303);
    case 'nothing':
      return sendPage(reply, 200, signedInPage(document));
  }
};
