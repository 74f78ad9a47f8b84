import { signInDecider } from '@grantlog/domain';
import type { Plan } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { commitOn } from '@grantlog/provisioning';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { html } from '../http/html.ts';
import { sendPage } from '../http/page.ts';
import { readOwnForm } from './own-form.ts';
import { clearSignInCookie, readSignInCookie } from './signed-in.ts';

/** Ends this browser's sign-in, for good: a copy of its cookie opens nothing afterwards. What was granted stays. */
export const signOutForm =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    app.post('/:platform/sign-out', { config: { authentication: 'browser', errors: 'page' } }, async (request, reply) => {
      const { names, document, path } = await readOwnForm(deps, request, []);
      const { platform } = names;
      const id = readSignInCookie(deps, request, platform);
      if (id !== null) {
        await execute<null>({
          log: deps.log,
          platform,
          requests: [{ streamId: id }],
          decide: (loaded): Plan<null> => {
            const signIn = fold(signInDecider, loaded.stream(id));
            // One that is over already stays as it ended.
            const { events } = signInDecider.decide({ type: 'end', reason: 'signed_out' }, signIn);
            if (signIn.status !== 'active') return { commit: null, outcome: null };
            const by = { actor: { kind: 'account', id: signIn.account }, correlationId: request.id } as const;
            return { commit: commitOn(loaded, by, { writes: [{ streamId: id, events }] }), outcome: null };
          },
        });
      }
      clearSignInCookie(deps, reply, platform);
      return sendPage(reply, 200, {
        title: 'Signed out',
        branding: document.branding,
        body: html`<h1>You are signed out of ${document.branding.displayName}</h1>
<p>Apps that you have allowed keep what you gave them. <a href="${path}/sign-in">Sign in again</a></p>`,
      });
    });
  };
