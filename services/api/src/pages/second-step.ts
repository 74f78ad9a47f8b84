import { createTotpSeed } from '@grantlog/crypto';
import type { AccountId, AccountRecord, SignInId } from '@grantlog/domain';
import type { Loaded } from '@grantlog/eventsourcing';
import { OAuthError } from '@grantlog/protocol';
import { checkSecondFactor, enrolTotp } from '@grantlog/provisioning';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { deviceOf, readKnownDevice, rememberDevice } from '../access/known-device.ts';
import { recordFailure } from '../access/record-failure.ts';
import { recordSignIn } from '../access/record-sign-in.ts';
import { admitCode } from '../access/second-factor-attempts.ts';
import { newSignIn, visitorOf } from '../access/visitor.ts';
import type { Deps } from '../deps.ts';
import { csrfToken } from '../http/browser.ts';
import { sendPage } from '../http/page.ts';
import { foldAccount, platformStreams } from '../platforms/load-parties.ts';
import { goOn, showDecision, waitingFor } from './after-sign-in.ts';
import { showSession } from './connect-show.ts';
import { type PagePlace, readOwnForm } from './own-form.ts';
import type { CodeNotice } from './second-factor-parts.ts';
import { codePage, firstRecoveryCodesPage, requiredEnrolmentPage } from './second-step-page.ts';
import { type Destination, openSecondStep, type SecondStep, sealSecondStep } from './second-step-seal.ts';
import { tellOwner } from './security-mail.ts';
import { emailOf, readSignInCookie, setSignInCookie } from './signed-in.ts';
import { openWaiting, sealWaiting } from './waiting.ts';

const stale = (): OAuthError =>
  new OAuthError('invalid_request', {
    description: 'This page is too old, was opened in another browser, or something of your account has changed. Sign in again',
  });

type Place = PagePlace & { readonly browserId: string };

/** Shows the page of a step, whether for the first time or again. */
const showStep = (
  deps: Deps,
  reply: FastifyReply,
  place: Place,
  shown: { readonly step: SecondStep; readonly email: string; readonly notice: CodeNotice | null },
): FastifyReply => {
  const { step, notice, email } = shown;
  const { document, path, names, browserId } = place;
  const csrf = csrfToken(deps, names.platform, browserId);
  const view = { document, path, csrf, sealed: sealSecondStep(deps, names.platform, step), destination: step.destination, notice };
  const status = notice === null ? 200 : notice === 'too_many_attempts' ? 429 : 400;
  return sendPage(
    reply,
    status,
    step.asks === 'code' ? codePage(view) : requiredEnrolmentPage({ ...view, email, seed: Uint8Array.fromBase64(step.seed) }),
  );
};

/**
 * Asks who has just shown the right password for what else their sign-in needs. Until that is shown nothing is recorded
 * and no cookie is set: everything travels sealed in the form.
 *
 * @param of.loaded the load in which the password was right, with the account's secrets.
 */
export const askForSecondStep = (
  deps: Deps,
  reply: FastifyReply,
  place: Place,
  of: {
    readonly asks: SecondStep['asks'];
    readonly account: AccountId;
    readonly record: AccountRecord;
    readonly loaded: Loaded;
    readonly destination: Destination;
  },
): FastifyReply => {
  const { asks } = of;
  const began = {
    account: of.account,
    accountVersion: of.loaded.stream(of.account).version,
    browserId: place.browserId,
    issuedAt: of.loaded.now,
    destination: of.destination,
  };
  const step: SecondStep = asks === 'code' ? { ...began, asks } : { ...began, asks, seed: createTotpSeed().toBase64() };
  const email = emailOf(deps, of.loaded, { platform: place.names.platform, account: of.account, record: of.record });
  return showStep(deps, reply, place, { step, email, notice: null });
};

/** The forms of the second step: a code, a first code, and going on from the recovery codes. */
export const secondStepForms =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const config = { authentication: 'browser', errors: 'page', trace: 'consent' } as const;

    /** The step that a form carries and its account as it is now; one that has changed since the password was right voids the step. */
    const open = async <Asks extends SecondStep['asks']>(request: FastifyRequest, asks: Asks) => {
      const { sent, ...place } = await readOwnForm(deps, request, ['request', 'code']);
      const { platform } = place.names;
      const step = openSecondStep(deps, platform, { sealed: sent.get('request'), asks, browserId: place.browserId, now: place.now });
      if (step === null) throw stale();
      const loaded = await deps.log.load(platform, [...platformStreams, { streamId: step.account, withSecrets: true }]);
      const record = foldAccount(loaded, step.account);
      if (record?.status !== 'active' || loaded.stream(step.account).version !== step.accountVersion) throw stale();
      const email = emailOf(deps, loaded, { platform, account: step.account, record });
      return { place, step, loaded, record, email, code: sent.get('code') ?? '' };
    };
    type Opened = Awaited<ReturnType<typeof open<SecondStep['asks']>>>;

    /** Takes the attempt, or shows that there were too many. */
    const admitted = async (request: FastifyRequest, reply: FastifyReply, { place, step, loaded, record, email }: Opened) => {
      const { platform } = place.names;
      const device = deviceOf(readKnownDevice(deps, request, platform), { account: step.account, record });
      const admission = await admitCode(deps, { platform, account: step.account, address: request.ip, device }, loaded.now);
      if (admission.outcome === 'admitted') return admission;
      request.log.info({ reason: 'too many attempts' }, 'second step refused');
      void reply.header('retry-after', String(admission.retryAfter));
      showStep(deps, reply, place, { step, email, notice: 'too_many_attempts' });
      return null;
    };

    /** Records a code that was not right and asks again. */
    const refused = async (request: FastifyRequest, reply: FastifyReply, opened: Opened, notice: 'wrong_code' | 'code_used') => {
      const { place, step, loaded, email } = opened;
      const by = { actor: { kind: 'system', id: 'sign-in' }, correlationId: request.traceparent } as const;
      const { platform } = place.names;
      await recordFailure(deps, by, {
        platform,
        account: step.account,
        reason: 'wrong_code',
        via: 'form',
        visitor: visitorOf(request),
        loaded,
      });
      request.log.info({ reason: notice }, 'second step refused');
      return showStep(deps, reply, place, { step, email, notice });
    };

    const welcome = (request: FastifyRequest, reply: FastifyReply, { place, step, record }: Opened, id: SignInId): void => {
      const { platform } = place.names;
      rememberDevice(deps, request, reply, { platform, account: step.account, record });
      setSignInCookie(deps, reply, { platform, id, maxAge: place.document.lifetimes.signInSeconds });
    };

    app.post('/:platform/sign-in/code', { config }, async (request, reply) => {
      const opened = await open(request, 'code');
      const { place, step, loaded, record, code } = opened;
      const { names, document, browserId, now } = place;
      const { platform } = names;
      const admission = await admitted(request, reply, opened);
      if (admission === null) return reply;
      const proof = checkSecondFactor({ sealer: deps.sealer, names }, { id: step.account, record, loaded }, code);
      if (proof === null) return refused(request, reply, opened, 'wrong_code');
      const former = readSignInCookie(deps, request, platform);
      const visitor = visitorOf(request);
      const proved = { platform, account: step.account, checked: loaded, proof, visitor, former, correlationId: request.traceparent };
      const recorded = await recordSignIn(deps, proved);
      if ('refusal' in recorded) {
        if (recorded.refusal === 'code_used') return refused(request, reply, opened, 'code_used');
        throw stale();
      }
      await admission.giveBack();
      welcome(request, reply, opened, recorded.id);
      if (proof.method === 'recovery_code') {
        const { account } = step;
        await tellOwner(deps, request.log, { names, document, account, email: opened.email, news: 'recovery_code_used' });
      }
      const signedIn = { id: recorded.id, account: step.account };
      return goOn(deps, reply, { names, document, browserId, signedIn, destination: step.destination, now });
    });

    app.post('/:platform/sign-in/enrolment', { config }, async (request, reply) => {
      const opened = await open(request, 'enrolment');
      const { place, step, loaded, email, code } = opened;
      const { names, document, browserId, path, now } = place;
      const { platform } = names;
      const { account } = step;
      const admission = await admitted(request, reply, opened);
      if (admission === null) return reply;
      const signIn = newSignIn(deps, { platform, account, visitor: visitorOf(request), loaded });
      const by = { actor: { kind: 'account', id: account }, correlationId: request.traceparent } as const;
      const enrolled = await enrolTotp(deps.provisioning, by, {
        names,
        account,
        expectedVersion: step.accountVersion,
        seed: Uint8Array.fromBase64(step.seed),
        code,
        signIn,
      });
      if ('refusal' in enrolled) {
        if (enrolled.refusal === 'wrong_code' || enrolled.refusal === 'code_used') return refused(request, reply, opened, enrolled.refusal);
        throw stale();
      }
      await admission.giveBack();
      welcome(request, reply, opened, signIn.id);
      await tellOwner(deps, request.log, { names, document, account, email, news: 'enrolled' });
      const { destination } = step;
      const waiting = waitingFor(destination, { id: signIn.id, account }, now);
      const sealed = waiting === null ? null : sealWaiting(deps, platform, waiting);
      const csrf = csrfToken(deps, platform, browserId);
      return sendPage(
        reply,
        200,
        firstRecoveryCodesPage({ document, path, csrf, recoveryCodes: enrolled.recoveryCodes, sealed, destination }),
      );
    });

    app.post('/:platform/sign-in/continue', { config }, async (request, reply) => {
      const { sent, names, browserId, now } = await readOwnForm(deps, request, ['request']);
      const waiting = openWaiting(deps, names.platform, { sealed: sent.get('request'), browserId, now });
      const { signIn } = waiting?.pending ?? { signIn: null };
      // The page was shown to one account; whoever is signed in by now is the one who must have clicked.
      if (waiting === null || signIn === null || readSignInCookie(deps, request, names.platform) !== signIn.id) throw stale();
      return waiting.kind === 'decision'
        ? showDecision(deps, reply, { names, browserId, decision: waiting.pending, signIn: signIn.id })
        : showSession(deps, reply, { names, browserId, pending: waiting.pending, signIn: signIn.id });
    });
  };
