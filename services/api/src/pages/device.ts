import { canonicalUserCode } from '@grantlog/crypto';
import type { SessionId } from '@grantlog/domain';
import { nameDecider, sessionStatus } from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import type { PlatformNames } from '@grantlog/provisioning';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Deps } from '../deps.ts';
import { csrfToken, ensureBrowserId } from '../http/browser.ts';
import { sendPage } from '../http/page.ts';
import { type LoadedSession, loadedSession, sessionRequests } from '../sessions/load-session.ts';
import { codeStreams } from '../sessions/start-session.ts';
import { admitUserCode } from '../sessions/throttles.ts';
import { requireSessions } from './connect.ts';
import { pendingSession, showSession } from './connect-show.ts';
import { type UserCodeProblem, userCodePage } from './device-page.ts';
import { pagePlace, readOwnForm } from './own-form.ts';
import { readSignInCookie } from './signed-in.ts';

/** The session that still waits behind a code; null where none does, whatever the reason. */
const findPending = async (deps: Deps, names: PlatformNames, code: string, now: number): Promise<LoadedSession | null> => {
  const streams = codeStreams(names, code, now);
  const claims = await deps.log.load(
    names.platform,
    streams.map((streamId) => ({ streamId })),
  );
  for (const stream of streams) {
    const name = fold(nameDecider, claims.stream(stream));
    if (name.status !== 'claimed' || name.kind !== 'user_code') continue;
    const id = name.owner as SessionId;
    const loaded = await deps.log.load(names.platform, sessionRequests(id));
    const found = loadedSession(loaded, id);
    if (found === null) continue;
    const status = sessionStatus({ session: found.state, grant: found.grant, standing: found.standing, now: loaded.now });
    if (status === 'pending') return found;
  }
  return null;
};

/** Where a person types the code that a device shows them, to be asked about its session (RFC 8628 §3.3). */
export const devicePages =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const config = { authentication: 'browser', errors: 'page' } as const;

    app.get('/:platform/device', { config }, async (request, reply) => {
      const place = await pagePlace(deps, request);
      requireSessions(place);
      const { names, document, path } = place;
      const csrf = csrfToken(deps, names.platform, ensureBrowserId(deps, request, reply, names.platform));
      return sendPage(reply, 200, userCodePage({ document, path, csrf, typed: '', problem: null }));
    });

    app.post('/:platform/device', { config }, async (request, reply): Promise<FastifyReply> => {
      const { sent, ...place } = await readOwnForm(deps, request, ['user_code']);
      requireSessions(place);
      const { names, document, path, browserId, now } = place;
      const { platform } = names;
      const typed = sent.get('user_code') ?? '';
      const again = (status: number, problem: UserCodeProblem): FastifyReply => {
        const csrf = csrfToken(deps, platform, browserId);
        return sendPage(reply, status, userCodePage({ document, path, csrf, typed, problem }));
      };
      const code = canonicalUserCode(typed);
      if (code === null) return again(400, 'no_code');
      const admission = await admitUserCode(deps, { platform, address: request.ip });
      if (admission.outcome === 'refused') {
        request.log.info({ reason: 'too many user codes' }, 'user code refused');
        void reply.header('retry-after', String(admission.retryAfter));
        return again(429, { retryAfter: admission.retryAfter });
      }
      const session = await findPending(deps, names, code, now);
      if (session === null) {
        request.log.info({ reason: 'no session waits for this code' }, 'user code refused');
        return again(400, 'unknown');
      }
      await admission.giveBack();
      const pending = pendingSession(session, { entry: 'user_code', browserId });
      return showSession(deps, reply, { names, browserId, pending, signIn: readSignInCookie(deps, request, platform) });
    });
  };
