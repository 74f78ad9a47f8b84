import { uuidv7 } from '@grantlog/crypto';
import type { AccountState, GrantId, PlatformDocument, SignInId } from '@grantlog/domain';
import { accountDecider, nameDecider, platformStream, signInDecider, standing } from '@grantlog/domain';
import type { Loaded, Plan, StreamId } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { authorizationFailure, OAuthError, readParameters } from '@grantlog/protocol';
import { commitOn, openCredential, type PlatformNames } from '@grantlog/provisioning';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { staysConnected } from '../grants/issue-rules.ts';
import { csrfToken, ensureBrowserId, requireOwnForm } from '../http/browser.ts';
import { formBody } from '../http/form-body.ts';
import { sendPage } from '../http/page.ts';
import { issuerOf, pathOf } from '../platforms/issuer.ts';
import { foldClient, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { openDecision, sealDecision } from './authorization-request.ts';
import { consentPage } from './consent-page.ts';
import { signedInPage, signInPage } from './sign-in-page.ts';
import { setSignInCookie, signedInOf } from './signed-in.ts';

type Found = { readonly id: StreamId; readonly state: AccountState; readonly loaded: Loaded };

/**
 * The account that an email belongs to now. The claim's first event may name a former owner, so the folded owner counts.
 *
 * Always two loads, the second without an owner about the claim again: the time must not tell whether the email is known.
 */
const findAccount = async (deps: Deps, names: PlatformNames, email: string): Promise<Found | null> => {
  const claim = names.email(email);
  const first = await deps.log.load(names.platform, [...platformStreams, { streamId: claim }]);
  const name = fold(nameDecider, first.stream(claim));
  const owner = name.status === 'claimed' ? name.owner : null;
  const loaded = await deps.log.load(names.platform, [...platformStreams, { streamId: owner ?? claim, withSecrets: true }]);
  return owner === null ? null : { id: owner, state: fold(accountDecider, loaded.stream(owner)), loaded };
};

/** Whether the password is the account's. Costs the same where there is no such account. */
const checkPassword = async (deps: Deps, names: PlatformNames, found: Found | null, password: string): Promise<boolean> => {
  const { passwords } = deps.provisioning;
  const state = found?.state;
  if (found === null || state?.status !== 'active' || state.passwordCredential === null) return passwords.verifyAgainstNothing(password);
  const hash = openCredential(deps.sealer, {
    platform: names.platform,
    owner: found.id,
    kind: 'password_hash',
    id: state.passwordCredential,
    credentials: found.loaded.stream(found.id).credentials,
  });
  return passwords.verify(new TextDecoder().decode(hash), password);
};

/** Records the sign-in, unless account or platform changed since the password was checked. */
const recordSignIn = async (deps: Deps, names: PlatformNames, found: Found, correlationId: string): Promise<SignInId | null> => {
  const checked = found.loaded.stream(found.id).version;
  const id = uuidv7(found.loaded.now) as SignInId;
  const { outcome } = await execute({
    log: deps.log,
    platform: names.platform,
    requests: [...platformStreams, { streamId: found.id }, { streamId: id }],
    decide: (loaded): Plan<SignInId | null> => {
      const account = fold(accountDecider, loaded.stream(found.id));
      const stands = standing({ firstPosition: null, platform: foldPlatform(loaded), client: null, account });
      // Another version may have another password: the check was of the one before.
      if (stands !== 'good' || loaded.stream(found.id).version !== checked) return { commit: null, outcome: null };
      const { events } = signInDecider.decide(
        { type: 'succeed', account: found.id as never, method: 'password', amr: ['pwd'] },
        fold(signInDecider, loaded.stream(id)),
      );
      const by = { actor: { kind: 'account', id: found.id }, correlationId } as const;
      return { commit: commitOn(loaded, by, { writes: [{ streamId: id, events }], reads: [platformStream, found.id] }), outcome: id };
    },
  });
  return outcome;
};

const documentOf = (loaded: Loaded): PlatformDocument => {
  const platform = foldPlatform(loaded);
  if (platform.status !== 'active')
    throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
  return platform.document;
};

/** The sign-in form: shown by itself, and where it is sent. A right answer goes straight on to the decision that waits. */
export const signInPages =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const config = { authentication: 'browser', errors: 'page' } as const;

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
          clientName: null,
          failed: false,
        }),
      );
    });

    app.post('/:platform/sign-in', { config }, async (request, reply) => {
      const names = await resolvePlatform(deps, request);
      const { platform } = names;
      const sent = readParameters(formBody(request), ['csrf', 'request', 'email', 'password']);
      const sealedForm = sent.get('request');
      const before = await deps.log.load(platform, platformStreams);
      const document = documentOf(before);
      const origin = new URL(issuerOf(document, deps.config.publicUrl)).origin;
      const browserId = requireOwnForm(deps, request, { platform, origin, csrf: sent.get('csrf') });
      const pending = openDecision(deps, platform, { sealed: sealedForm, browserId, now: before.now });
      if (sealedForm !== undefined && pending === null) {
        throw new OAuthError('invalid_request', {
          description: 'This page is too old or was opened in another browser. Go back to the app and begin again',
        });
      }
      const clientStream = pending === null ? null : names.client(pending.request.clientId);

      const found = await findAccount(deps, names, sent.get('email') ?? '');
      const right = await checkPassword(deps, names, found, sent.get('password') ?? '');
      const id = right && found !== null ? await recordSignIn(deps, names, found, request.id) : null;
      const loaded = await deps.log.load(platform, [
        ...platformStreams,
        ...(clientStream === null ? [] : [{ streamId: clientStream }]),
        ...(id === null ? [] : [{ streamId: id, follow: true, withSecrets: true }]),
      ]);
      const client = clientStream === null ? null : foldClient(loaded, clientStream);
      const signedIn = id === null ? null : signedInOf(deps, loaded, id, platform);
      if (id === null || signedIn === null) {
        request.log.info(
          { reason: found === null ? 'unknown account' : right ? 'the account may not sign in' : 'wrong password' },
          'sign-in refused',
        );
        const clientName = client?.status === 'active' ? client.name : null;
        return sendPage(
          reply,
          400,
          signInPage({
            document,
            path: pathOf(issuerOf(document, deps.config.publicUrl)),
            csrf: csrfToken(deps, platform, browserId),
            sealed: sealedForm ?? null,
            clientName,
            failed: true,
          }),
        );
      }
      setSignInCookie(deps, reply, { platform, id, maxAge: document.lifetimes.signInSeconds });
      if (pending === null || client === null) return sendPage(reply, 200, signedInPage(document));
      if (client.status !== 'active')
        throw new OAuthError('unauthorized_client', { description: 'The app that sent you here has been disabled meanwhile' });
      const { hinted, redirectUri, state } = pending.request;
      if (hinted !== null && hinted !== signedIn.account) {
        const error = new OAuthError('login_required', { description: 'Somebody else has signed in than the app asked for' });
        const issuer = issuerOf(document, deps.config.publicUrl);
        return reply.redirect(authorizationFailure({ redirectUri, error, state: state ?? undefined, issuer }), 303);
      }
      // Each sign-in decides about a grant of its own: a page that goes back in the history is not another person's answer.
      const decision = { ...pending.request, grantId: uuidv7(loaded.now) as GrantId };
      const sealed = sealDecision(deps, platform, { ...pending, request: decision, signIn: { id, account: signedIn.account } });
      const view = {
        path: pathOf(issuerOf(document, deps.config.publicUrl)),
        document,
        client,
        request: decision,
        email: signedIn.email,
        staysConnected: staysConnected({ document, client, scopes: decision.scopes }),
        csrf: csrfToken(deps, platform, browserId),
        sealed,
      };
      return sendPage(reply, 200, consentPage(view));
    });
  };
