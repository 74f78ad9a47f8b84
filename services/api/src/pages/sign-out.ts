import { OAuthError } from '@grantlog/protocol';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { sendPage } from '../http/page.ts';
import { endSignIns } from '../logout/end-sign-ins.ts';
import { openForm } from '../logout/logout-request.ts';
import { returnAddressOf } from '../logout/return-address.ts';
import { foldClient } from '../platforms/load-parties.ts';
import { readOwnForm } from './own-form.ts';
import { signedOutPage } from './sign-out-page.ts';
import { clearSignInCookie, readSignInCookie } from './signed-in.ts';

/**
 * Ends this browser's sign-in, for good: a copy of its cookie opens nothing afterwards. What was granted stays. Whoever was
 * sent by an app goes back to it, if it has that address still.
 */
export const signOutForm =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    app.post('/:platform/sign-out', { config: { authentication: 'browser', errors: 'page' } }, async (request, reply) => {
      const { names, document, path, browserId, sent, now } = await readOwnForm(deps, request, ['request']);
      const { platform } = names;
      const sealed = sent.get('request');
      const asked = sealed === undefined ? null : openForm(deps, platform, { sealed, browserId, now });
      if (sealed !== undefined && asked === null) {
        throw new OAuthError('invalid_request', {
          description: 'This page is too old or was opened in another browser. Go back to the app and begin again',
        });
      }
      const own = readSignInCookie(deps, request, platform);
      if (own !== null) await endSignIns(deps, { platform, own, also: null, correlationId: request.traceparent });
      clearSignInCookie(deps, reply, platform);
      const stream = asked === null || asked.clientId === null ? null : names.client(asked.clientId);
      const client = stream === null ? null : foldClient(await deps.log.load(platform, [{ streamId: stream }]), stream);
      const back = asked === null ? ({ kind: 'none' } as const) : returnAddressOf(asked, { document, client });
      if (back.kind === 'registered')
        return reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).redirect(back.url, 303);
      return sendPage(reply, 200, signedOutPage({ document, path, back: { kind: 'none' } }));
    });
  };
