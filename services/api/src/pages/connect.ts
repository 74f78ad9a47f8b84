import { deviceCodeGrant } from '@grantlog/domain';
import { OAuthError } from '@grantlog/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { ensureBrowserId } from '../http/browser.ts';
import { sendPage } from '../http/page.ts';
import { PathNotOnPlatform } from '../http/require-switch.ts';
import { foldKeyRing } from '../platforms/load-parties.ts';
import { loadedSession, sessionRequests } from '../sessions/load-session.ts';
import { provesSession, readSessionToken } from '../sessions/session-tokens.ts';
import { type ConnectClick, decideSession } from './connect-decision.ts';
import { answeredPage, sessionEndPage, unknownLinkPage } from './connect-end-page.ts';
import { openSession, type PendingSession } from './connect-seal.ts';
import { pendingSession, showSession } from './connect-show.ts';
import { type PagePlace, pagePlace, readOwnForm } from './own-form.ts';
import { readSignInCookie } from './signed-in.ts';

/** @throws PathNotOnPlatform where no agent can bring anybody in. */
export const requireSessions = ({ document }: Pick<PagePlace, 'document'>): void => {
  if (!document.grantTypes.includes(deviceCodeGrant)) throw new PathNotOnPlatform(`${document.name} has no sessions of agents`);
};

const stale = (): OAuthError =>
  new OAuthError('invalid_request', {
    description: 'This page is too old, or somebody else has signed in meanwhile. Open the link of your agent once more',
  });

const clickOf = (decision: string | undefined, number: string | undefined): ConnectClick => {
  if (decision === 'deny' && number === undefined) return { kind: 'deny' };
  if (decision === 'allow' && number === undefined) return { kind: 'allow' };
  if (decision === undefined && number !== undefined && /^[1-9][0-9]$/.test(number)) return { kind: 'number', number: Number(number) };
  throw new OAuthError('invalid_request', { description: 'Answer with one of the buttons of the page' });
};

/**
 * The person's side of an agent's session. Opening the link writes nothing, so that a preview of it uses nothing up; the
 * form of the page brings the one answer.
 */
export const connectPages =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const config = { authentication: 'browser', errors: 'page' } as const;

    /** The pending session that a link names and proves; null for whatever this platform never made. */
    const readLink = async (request: FastifyRequest, place: PagePlace, browserId: string): Promise<PendingSession | null> => {
      const { platform } = place.names;
      const { link = '' } = request.params as { readonly link?: string };
      const claimed = readSessionToken(link, 'link');
      if (claimed === null) return null;
      const loaded = await deps.log.load(platform, sessionRequests(claimed.session));
      const session = loadedSession(loaded, claimed.session);
      if (session === null) return null;
      const keys = await deps.keys.of(platform, foldKeyRing(loaded));
      if (!provesSession(claimed, { platform, keys, terms: session.state.terms })) return null;
      return pendingSession(session, { entry: 'link', browserId });
    };

    app.get('/:platform/connect/:link', { config }, async (request, reply): Promise<FastifyReply> => {
      const place = await pagePlace(deps, request);
      requireSessions(place);
      const { names, document } = place;
      const browserId = ensureBrowserId(deps, request, reply, names.platform);
      const pending = await readLink(request, place, browserId);
      if (pending === null) {
        request.log.info({ reason: 'no link of this platform' }, 'connect refused');
        return sendPage(reply, 404, unknownLinkPage(document));
      }
      return showSession(deps, reply, { names, browserId, pending, signIn: readSignInCookie(deps, request, names.platform) });
    });

    app.post('/:platform/connect', { config }, async (request, reply): Promise<FastifyReply> => {
      const { sent, ...place } = await readOwnForm(deps, request, ['request', 'number', 'decision', 'context']);
      requireSessions(place);
      const { names, document, path, browserId, now } = place;
      const pending = openSession(deps, names.platform, { sealed: sent.get('request'), browserId, now });
      const { signIn } = pending ?? { signIn: null };
      // The page was shown to one account; whoever is signed in by now is the one who must have clicked.
      if (pending === null || signIn === null || readSignInCookie(deps, request, names.platform) !== signIn.id) throw stale();
      // No answer, but a wish to give it as somebody else; their sign-in takes the place of this one.
      if (sent.get('decision') === 'other_account') return showSession(deps, reply, { names, browserId, pending, signIn: null });
      const click = clickOf(sent.get('decision'), sent.get('number'));
      const decided = await decideSession(deps, names, {
        pending,
        signIn,
        click,
        context: sent.get('context') ?? null,
        correlationId: request.traceparent,
      });
      request.log.info({ session: pending.session, outcome: decided.outcome }, 'session answered');
      switch (decided.outcome) {
        case 'answered':
          return sendPage(reply, 200, answeredPage({ ...decided, document, path }));
        case 'over':
          return sendPage(reply, 410, sessionEndPage({ document, path, status: decided.status }));
        case 'changed':
          return showSession(deps, reply, { names, browserId, pending, signIn: signIn.id, changed: true });
      }
    });
  };
