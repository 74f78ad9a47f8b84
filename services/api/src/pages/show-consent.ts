import type { ClientRecord, PlatformDocument } from '@grantlog/domain';
import type { PlatformNames } from '@grantlog/provisioning';
import type { FastifyReply } from 'fastify';
import type { Deps } from '../deps.ts';
import { staysConnected } from '../grants/issue-rules.ts';
import { csrfToken } from '../http/browser.ts';
import { sendPage } from '../http/page.ts';
import { issuerOf, pathOf } from '../platforms/issuer.ts';
import type { PendingDecision } from './authorization-request.ts';
import { sealDecision } from './authorization-request.ts';
import { isRemembered, memoryOf } from './consent-memory.ts';
import { consentPage } from './consent-page.ts';
import { offerContexts } from './context-choice.ts';
import type { SignedIn } from './signed-in.ts';

/** What a consent page is made of: a request whose every check has passed, and the person who is to decide it. */
export type ShownConsent = {
  readonly names: PlatformNames;
  readonly document: PlatformDocument;
  readonly client: ClientRecord;
  readonly browserId: string;
  readonly signedIn: SignedIn;
  /** Its `signIn` is this person's. */
  readonly decision: PendingDecision;
};

/** Shows the consent page, with the decision sealed in its form. */
export const showConsent = (deps: Deps, reply: FastifyReply, shown: ShownConsent): FastifyReply => {
  const { names, document, client, browserId, signedIn, decision } = shown;
  const { platform } = names;
  const { request } = decision;
  const issuer = issuerOf(document, deps.config.publicUrl);
  return sendPage(
    reply,
    200,
    consentPage({
      document,
      path: pathOf(issuer),
      issuer,
      client,
      request,
      email: signedIn.email,
      offer: offerContexts({ document, issuer }, request, signedIn.contexts),
      staysConnected: staysConnected({ document, client, scopes: request.scopes }),
      isRemembered: memoryOf(names, signedIn.account, request) !== null && isRemembered({ document, client }),
      csrf: csrfToken(deps, platform, browserId),
      sealed: sealDecision(deps, platform, decision),
    }),
  );
};
