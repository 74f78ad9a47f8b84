import type { PlatformDocument } from '@grantlog/domain';
import type { Loaded } from '@grantlog/eventsourcing';
import { OAuthError, readParameters } from '@grantlog/protocol';
import type { FastifyInstance } from 'fastify';
import { checkPassword } from '../access/check-password.ts';
import { readKnownDevice, rememberDevice } from '../access/known-device.ts';
import { recordSignIn } from '../access/record-sign-in.ts';
import { secondStepOf } from '../access/second-step-of.ts';
import { visitorOf } from '../access/visitor.ts';
import type { Deps } from '../deps.ts';
import { csrfToken, ensureBrowserId, requireOwnForm } from '../http/browser.ts';
import { formBody } from '../http/form-body.ts';
import { sendPage } from '../http/page.ts';
import { issuerOf, pathOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { nameOfClient } from '../platforms/resolve-client.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { goOn } from './after-sign-in.ts';
import { askForSecondStep } from './second-step.ts';
import { formTargetsOf } from './second-step-page.ts';
import type { Destination, OwnPage } from './second-step-seal.ts';
import { type SignInProblem, signInPage } from './sign-in-page.ts';
import { readSignInCookie, setSignInCookie } from './signed-in.ts';
import { clientIdOf, openWaiting, type Waiting } from './waiting.ts';

const documentOf = (loaded: Loaded): PlatformDocument => {
  const platform = foldPlatform(loaded);
  if (platform.status !== 'active')
    throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
  return platform.document;
};

/** Where a right answer leads: to the decision that waits, or to one of our own pages, by a name and never by an address. */
const destinationOf = (waiting: Waiting | null, back: OwnPage | null): Destination => {
  if (waiting !== null) return waiting;
  return back === null ? { kind: 'nothing' } : { kind: 'page', page: back };
};

const ownPageOf = (back: string | undefined): OwnPage | null => (back === 'security' || back === 'connections' ? back : null);

/** The sign-in form: shown by itself, and where it is sent. A right answer goes straight on to the decision that waits. */
export const signInPages =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const config = { authentication: 'browser', errors: 'page', trace: 'consent' } as const;

    app.get('/:platform/sign-in', { config }, async (request, reply) => {
      const names = await resolvePlatform(deps, request);
      const document = documentOf(await deps.log.load(names.platform, platformStreams));
      const csrf = csrfToken(deps, names.platform, ensureBrowserId(deps, request, reply, names.platform));
      return sendPage(
        reply,
        200,
        signInPage({
          document,
          path: pathOf(issuerOf(document, deps.config.publicUrl)),
          csrf,
          sealed: null,
          back: null,
          clientName: null,
          failed: false,
        }),
      );
    });

    app.post('/:platform/sign-in', { config }, async (request, reply) => {
      const names = await resolvePlatform(deps, request);
      const { platform } = names;
      const sent = readParameters(formBody(request), ['csrf', 'request', 'back', 'email', 'password']);
      const sealedForm = sent.get('request');
      const before = await deps.log.load(platform, platformStreams);
      const document = documentOf(before);
      const origin = new URL(issuerOf(document, deps.config.publicUrl)).origin;
      const browserId = requireOwnForm(deps, request, { platform, origin, csrf: sent.get('csrf') });
      const waiting = openWaiting(deps, platform, { sealed: sealedForm, browserId, now: before.now });
      const back = ownPageOf(sent.get('back'));
      if (sealedForm !== undefined && waiting === null) {
        throw new OAuthError('invalid_request', {
          description: 'This page is too old or was opened in another browser. Go back to the app and begin again',
        });
      }
      const failed = async (status: 400 | 429, problem: SignInProblem) => {
        const { ip: address } = request;
        const clientName = waiting === null ? null : await nameOfClient(deps, { names, document, clientId: clientIdOf(waiting), address });
        return sendPage(
          reply,
          status,
          signInPage({
            document,
            path: pathOf(issuerOf(document, deps.config.publicUrl)),
            csrf: csrfToken(deps, platform, browserId),
            sealed: sealedForm ?? null,
            back,
            clientName,
            formTargets: formTargetsOf(waiting),
            failed: problem,
          }),
        );
      };
      const visitor = visitorOf(request);
      const checked = await checkPassword(deps, names, {
        email: sent.get('email') ?? '',
        password: sent.get('password') ?? '',
        via: 'form',
        visitor,
        known: readKnownDevice(deps, request, platform),
        by: { actor: { kind: 'system', id: 'sign-in' }, correlationId: request.traceparent },
      });
      if (checked.outcome === 'throttled') {
        request.log.info({ reason: 'too many attempts' }, 'sign-in refused');
        void reply.header('retry-after', String(checked.retryAfter));
        return failed(429, { kind: 'throttled', retryAfter: checked.retryAfter });
      }
      if (checked.outcome === 'wrong') {
        request.log.info({ reason: checked.reason }, 'sign-in refused');
        return failed(400, { kind: 'wrong' });
      }
      const { account } = checked;
      if (account.state.status === 'disabled' || account.state.kind === 'integration') {
        const reason = account.state.status === 'disabled' ? 'account_disabled' : 'integration_account';
        await checked.fail(reason);
        request.log.info({ reason }, 'sign-in refused');
        return failed(400, { kind: reason === 'integration_account' ? reason : 'wrong' });
      }
      // The password is right, and nobody is signed in yet: a second factor is asked for here, and recorded with the sign-in.
      const path = pathOf(issuerOf(document, deps.config.publicUrl));
      const place = { names, document, path, browserId, now: checked.loaded.now };
      const destination = destinationOf(waiting, back);
      const asks = secondStepOf(document, account.state);
      if (asks !== 'nothing') {
        await checked.giveBack();
        const { state: record, id: accountId } = account;
        return askForSecondStep(deps, reply, place, { asks, account: accountId, record, loaded: checked.loaded, destination });
      }
      const recorded = await recordSignIn(deps, {
        platform,
        account: account.id,
        checked: checked.loaded,
        proof: null,
        visitor,
        former: readSignInCookie(deps, request, platform),
        correlationId: request.traceparent,
      });
      if ('refusal' in recorded) {
        request.log.info({ reason: 'account or platform changed meanwhile' }, 'sign-in refused');
        return failed(400, { kind: 'wrong' });
      }
      const { id } = recorded;
      await checked.giveBack();
      rememberDevice(deps, request, reply, { platform, account: account.id, record: account.state });
      setSignInCookie(deps, reply, { platform, id, maxAge: document.lifetimes.signInSeconds });
      return goOn(deps, reply, { ...place, signedIn: { id, account: account.id }, destination });
    });
  };
