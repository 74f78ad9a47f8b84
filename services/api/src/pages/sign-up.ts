import { randomToken } from '@grantlog/crypto';
import { readStreamEvent } from '@grantlog/postgres';
import { OAuthError } from '@grantlog/protocol';
import { canonicalEmail, isAcceptableEmail, registerAccount } from '@grantlog/provisioning';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { findAccount } from '../access/find-account.ts';
import { rememberDevice } from '../access/known-device.ts';
import { passwordProblemOf } from '../access/password-rules.ts';
import { recordSignIn } from '../access/record-sign-in.ts';
import { secondStepOf } from '../access/second-step-of.ts';
import { visitorOf } from '../access/visitor.ts';
import type { Deps } from '../deps.ts';
import { csrfToken, ensureBrowserId } from '../http/browser.ts';
import { sendPage } from '../http/page.ts';
import { PathNotOnPlatform } from '../http/require-switch.ts';
import { foldAccount, platformStreams } from '../platforms/load-parties.ts';
import { goOn } from './after-sign-in.ts';
import { type PagePlace, pagePlace, readOwnForm } from './own-form.ts';
import { askForSecondStep } from './second-step.ts';
import { takeMail, takeTry } from './sign-up-attempts.ts';
import { mailAboutSignUp } from './sign-up-mails.ts';
import { alreadySignedUpPage, type SignUpProblem, signUpCodePage, signUpPage } from './sign-up-page.ts';
import { createCode, isCodeOf, openDraft, proofOf, type SignUpDraft, sealDraft } from './sign-up-seal.ts';
import { readSignInCookie, setSignInCookie } from './signed-in.ts';
import { openWaiting } from './waiting.ts';

type Place = PagePlace & { readonly browserId: string };

/** @throws PathNotOnPlatform where operators alone make accounts. */
const requireOpen = ({ document }: PagePlace): void => {
  if (document.signIn.registration !== 'open') throw new PathNotOnPlatform(`${document.name} lets nobody sign up`);
};

/** What is wrong with what was typed, judged without asking whether an account has the email. */
const problemOf = (typed: { readonly email: string; readonly name: string; readonly password: string }): SignUpProblem | null => {
  const { email, name, password } = typed;
  if (!isAcceptableEmail(email)) return 'email';
  if (name === '' || name.length > 100 || /\p{Cc}/u.test(name) || !name.isWellFormed()) return 'name';
  return passwordProblemOf({ email, password });
};

const statusOf = (problem: SignUpProblem | null): number => (problem === null ? 200 : typeof problem === 'string' ? 400 : 429);

/** Makes the account of a draft whose code was right, signs in to it and goes on to what waits. */
const finish = async (
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  place: Place,
  draft: SignUpDraft,
): Promise<FastifyReply> => {
  const { names, document, path, browserId } = place;
  const { platform } = names;
  const by = { actor: { kind: 'system', id: 'sign-up' }, correlationId: request.traceparent } as const;
  const registered = await registerAccount(deps.provisioning, by, {
    platform,
    email: draft.email,
    displayName: draft.displayName,
    password: { hash: draft.passwordHash },
    roles: [],
    emailVerified: true,
  });
  if (registered.kind === 'refused') {
    // The claim on the email is what lets one form, sent any number of times, make one account.
    if (registered.refusal === 'name_taken') return sendPage(reply, 409, alreadySignedUpPage(document, path));
    throw new OAuthError('invalid_request', { description: 'The account cannot be created. Begin again', reason: registered.refusal });
  }
  const { account } = registered;
  const checked = await deps.log.load(platform, [...platformStreams, { streamId: account, withSecrets: true }]);
  const record = foldAccount(checked, account);
  if (record?.status !== 'active') throw new OAuthError('invalid_request', { description: 'The account cannot be used' });
  const { destination } = draft;
  const asks = secondStepOf(document, record);
  if (asks !== 'nothing') return askForSecondStep(deps, reply, place, { asks, account, record, loaded: checked, destination });
  const former = readSignInCookie(deps, request, platform);
  // Nobody has typed a sign-in: it comes of the account that was made.
  const made = await readStreamEvent(deps.provisioning.pool, { platform, streamId: account, version: 1 });
  const recorded = await recordSignIn(deps, {
    ...{ platform, account, checked, proof: null, visitor: visitorOf(request), former, correlationId: request.traceparent },
    ...(made === null ? {} : { causationId: made.commitId }),
  });
  if ('refusal' in recorded) return sendPage(reply, 409, alreadySignedUpPage(document, path));
  const { id } = recorded;
  rememberDevice(deps, request, reply, { platform, account, record });
  setSignInCookie(deps, reply, { platform, id, maxAge: document.lifetimes.signInSeconds });
  return goOn(deps, reply, { names, document, browserId, signedIn: { id, account }, destination, now: checked.now });
};

/**
 * Where people make an account for themselves, on platforms that are open to it: a form, a code by mail, the account.
 *
 * Nothing is recorded before the code was right, and every answer until then is the same whether the email has an
 * account or not: only the mail differs.
 */
export const signUpPages =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const config = { authentication: 'browser', errors: 'page', trace: 'consent' } as const;

    app.get('/:platform/sign-up', { config }, async (request, reply) => {
      const place = await pagePlace(deps, request);
      requireOpen(place);
      const csrf = csrfToken(deps, place.names.platform, ensureBrowserId(deps, request, reply, place.names.platform));
      return sendPage(reply, 200, signUpPage({ ...place, csrf, sealed: null, email: '', name: '', problem: null }));
    });

    // Sent by the form itself and, without an email yet, by the sign-in page, which has a request to keep.
    app.post('/:platform/sign-up', { config }, async (request, reply) => {
      const { sent, ...place } = await readOwnForm(deps, request, ['request', 'email', 'name', 'password']);
      requireOpen(place);
      const { names, document, browserId, now } = place;
      const { platform } = names;
      const sealed = sent.get('request');
      const waiting = openWaiting(deps, platform, { sealed, browserId, now });
      if (sealed !== undefined && waiting === null) {
        throw new OAuthError('invalid_request', {
          description: 'This page is too old or was opened in another browser. Go back to the app and begin again',
        });
      }
      const csrf = csrfToken(deps, platform, browserId);
      const email = canonicalEmail(sent.get('email') ?? '');
      const name = (sent.get('name') ?? '').normalize('NFC').trim();
      const show = (problem: SignUpProblem | null): FastifyReply =>
        sendPage(reply, statusOf(problem), signUpPage({ ...place, csrf, sealed: sealed ?? null, email, name, problem }));
      const password = sent.get('password');
      if (password === undefined) return show(null);
      const problem = problemOf({ email, name, password });
      if (problem !== null) return show(problem);
      const retryAfter = await takeMail(deps, { platform, name: names.email(email), address: request.ip, now });
      if (retryAfter > 0) {
        request.log.info({ reason: 'too many mails' }, 'sign-up refused');
        void reply.header('retry-after', String(retryAfter));
        return show({ retryAfter });
      }

      // From here on the same work is done for an email that is known: the same hash, a mail, a form.
      const { account } = await findAccount(deps, names, email);
      const passwordHash = await deps.provisioning.passwords.hash(password);
      const [id, code] = [randomToken(16), createCode()];
      await mailAboutSignUp(deps, { platform, document, to: email, account: account?.id ?? null, code });
      const destination = waiting ?? { kind: 'nothing' as const };
      const draft: SignUpDraft = {
        id,
        email,
        displayName: name,
        passwordHash,
        proof: proofOf(deps, { platform, draft: id, code }),
        browserId,
        issuedAt: now,
        destination,
      };
      return sendPage(
        reply,
        200,
        signUpCodePage({ ...place, csrf, draft: sealDraft(deps, platform, draft), email, destination, problem: null }),
      );
    });

    app.post('/:platform/sign-up/code', { config }, async (request, reply) => {
      const { sent, ...place } = await readOwnForm(deps, request, ['request', 'code']);
      requireOpen(place);
      const { names, browserId, now } = place;
      const { platform } = names;
      const sealed = sent.get('request');
      const draft = openDraft(deps, platform, { sealed, browserId, now });
      if (sealed === undefined || draft === null) {
        throw new OAuthError('invalid_request', {
          description: 'This page is too old or was opened in another browser. Sign up once more',
        });
      }
      const again = (problem: SignUpProblem): FastifyReply => {
        const { email, destination } = draft;
        const view = { ...place, csrf: csrfToken(deps, platform, browserId), draft: sealed, email, destination, problem };
        return sendPage(reply, statusOf(problem), signUpCodePage(view));
      };
      const retryAfter = await takeTry(deps, { platform, draft: draft.id, address: request.ip, now });
      if (retryAfter > 0) {
        request.log.info({ reason: 'too many tries of a code' }, 'sign-up refused');
        void reply.header('retry-after', String(retryAfter));
        return again({ retryAfter });
      }
      if (!isCodeOf(deps, { platform, draft: draft.id, code: sent.get('code') ?? '', proof: draft.proof })) {
        request.log.info({ reason: 'wrong code' }, 'sign-up refused');
        return again('code');
      }
      return finish(deps, request, reply, place, draft);
    });
  };
