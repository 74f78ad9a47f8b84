import { createTotpSeed } from '@grantlog/crypto';
import type { AccountRecord } from '@grantlog/domain';
import type { Loaded } from '@grantlog/eventsourcing';
import type { RequestParameters } from '@grantlog/protocol';
import {
  type By,
  changePassword,
  type EnrolmentRefusal,
  enrolTotp,
  type PasswordRefusal,
  removeTotp,
  renewRecoveryCodes,
  type SecondFactorRefusal,
  spendSecondFactor,
} from '@grantlog/provisioning';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { deviceOf, readKnownDevice, rememberDevice } from '../access/known-device.ts';
import { newPasswordProblemOf } from '../access/password-rules.ts';
import { type ProvedAgain, proveAgain } from '../access/prove-again.ts';
import { admitCode } from '../access/second-factor-attempts.ts';
import { newSignIn, visitorOf } from '../access/visitor.ts';
import { openEnrolment, type PendingEnrolment, sealEnrolment } from '../account/sealed-enrolment.ts';
import type { Deps } from '../deps.ts';
import { csrfToken, ensureBrowserId } from '../http/browser.ts';
import { sendPage } from '../http/page.ts';
import { foldAccount, platformStreams } from '../platforms/load-parties.ts';
import { type PagePlace, pagePlace, readOwnForm } from './own-form.ts';
import { type SecurityNews, tellOwner } from './security-mail.ts';
import { enrolmentPage, recoveryCodesPage, type SecurityNotice, securityPage } from './security-page.ts';
import { signInPage } from './sign-in-page.ts';
import { readSignInCookie, type SignedIn, setSignInCookie, signedInOf } from './signed-in.ts';

/** Somebody at their security page. */
type Visit = PagePlace & {
  readonly browserId: string;
  readonly signedIn: SignedIn;
  readonly record: AccountRecord;
  /** Of the account. */
  readonly version: number;
  /** With the account's secrets. */
  readonly loaded: Loaded;
};

const noticeOf = {
  wrong_code: 'wrong_code',
  code_used: 'code_used',
  not_offered: 'not_offered',
  changed_meanwhile: 'changed_meanwhile',
  required_by_platform: 'required_by_platform',
  no_second_factor: 'no_second_factor',
  account_exists: 'changed_meanwhile',
  unknown_account: 'changed_meanwhile',
  account_erased: 'changed_meanwhile',
  too_many_roles: 'changed_meanwhile',
  too_many_contexts: 'changed_meanwhile',
  too_many_subjects: 'changed_meanwhile',
  issuer_linked: 'changed_meanwhile',
  integration_account: 'not_offered',
  recovery_code_unknown: 'wrong_code',
} as const satisfies Record<EnrolmentRefusal | SecondFactorRefusal | PasswordRefusal, SecurityNotice>;

const statusOf = (notice: SecurityNotice | null): number => {
  if (notice === null || notice === 'removed' || notice === 'password_changed') return 200;
  if (notice === 'too_many_attempts') return 429;
  return notice === 'required_by_platform' || notice === 'changed_meanwhile' || notice === 'already_enrolled' ? 409 : 400;
};

/** The security page of whoever is signed in, and its forms. Nobody else sees more than the sign-in form. */
export const securityPages =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const config = { authentication: 'browser', errors: 'page' } as const;

    const enter = async (request: FastifyRequest, place: PagePlace, browserId: string): Promise<Visit | null> => {
      const { platform } = place.names;
      const id = readSignInCookie(deps, request, platform);
      if (id === null) return null;
      const loaded = await deps.log.load(platform, [...platformStreams, { streamId: id, follow: true, withSecrets: true }]);
      const signedIn = signedInOf(deps, loaded, id, platform);
      const record = signedIn === null ? null : foldAccount(loaded, signedIn.account);
      if (signedIn === null || record?.status !== 'active') return null;
      return { ...place, browserId, signedIn, record, version: loaded.stream(signedIn.account).version, now: loaded.now, loaded };
    };
    const askToSignIn = (reply: FastifyReply, status: number, place: PagePlace, browserId: string): FastifyReply => {
      const { document, path, names } = place;
      const csrf = csrfToken(deps, names.platform, browserId);
      return sendPage(reply, status, signInPage({ document, path, csrf, sealed: null, back: 'security', clientName: null, failed: false }));
    };
    const show = (reply: FastifyReply, visit: Visit, notice: SecurityNotice | null): FastifyReply => {
      const { document, path, names, record } = visit;
      const csrf = csrfToken(deps, names.platform, visit.browserId);
      const view = { document, path, csrf, email: visit.signedIn.email, record, notice };
      return sendPage(reply, statusOf(notice), securityPage(view));
    };
    const showEnrolment = (reply: FastifyReply, visit: Visit, pending: PendingEnrolment, notice: SecurityNotice | null): FastifyReply => {
      const { document, path, names } = visit;
      const csrf = csrfToken(deps, names.platform, visit.browserId);
      const seed = Uint8Array.fromBase64(pending.seed);
      const sealed = sealEnrolment(deps, names.platform, pending);
      const view = { document, path, csrf, email: visit.signedIn.email, notice, seed, sealed, replaces: pending.replaces };
      return sendPage(reply, statusOf(notice), enrolmentPage(view));
    };
    const newEnrolment = (visit: Visit, of: { readonly version: number; readonly replaces: boolean }): PendingEnrolment => ({
      account: visit.signedIn.account,
      accountVersion: of.version,
      seed: createTotpSeed().toBase64(),
      replaces: of.replaces,
      issuedAt: visit.now,
    });
    const tell = (request: FastifyRequest, visit: Visit, news: SecurityNews): Promise<void> => {
      const { names, document, signedIn } = visit;
      return tellOwner(deps, request.log, { names, document, account: signedIn.account, email: signedIn.email, news });
    };
    const byOf = (request: FastifyRequest, visit: Visit): By => ({
      actor: { kind: 'account', id: visit.signedIn.account },
      correlationId: request.traceparent,
    });

    app.get('/:platform/security', { config }, async (request, reply) => {
      const place = await pagePlace(deps, request);
      const browserId = ensureBrowserId(deps, request, reply, place.names.platform);
      const visit = await enter(request, place, browserId);
      return visit === null ? askToSignIn(reply, 200, place, browserId) : show(reply, visit, null);
    });

    const fields = ['password', 'code', 'request', 'new_password', 'new_password_again'] as const;
    type At = {
      readonly request: FastifyRequest;
      readonly reply: FastifyReply;
      readonly visit: Visit;
      readonly sent: RequestParameters<(typeof fields)[number] | 'csrf'>;
    };
    /** A form of the page, for whoever is signed in. */
    const form = (target: string, handle: (at: At) => Promise<FastifyReply>): void => {
      app.post(`/:platform/security/${target}`, { config }, async (request, reply) => {
        const { sent, browserId, ...place } = await readOwnForm(deps, request, fields);
        const visit = await enter(request, place, browserId);
        return visit === null ? askToSignIn(reply, 401, place, browserId) : handle({ request, reply, visit, sent });
      });
    };
    /** Password and, where there is one, second factor proved once more, and unspent; or the page that says why not. */
    const prove = async ({ request, reply, visit, sent }: At): Promise<Extract<ProvedAgain, { outcome: 'proved' }> | null> => {
      const proved = await proveAgain(deps, visit.names, {
        account: visit.signedIn.account,
        email: visit.signedIn.email,
        password: sent.get('password') ?? '',
        code: sent.get('code') ?? '',
        visitor: visitorOf(request),
        known: readKnownDevice(deps, request, visit.names.platform),
        by: byOf(request, visit),
      });
      if (proved.outcome === 'proved') return proved;
      request.log.info({ reason: proved.outcome }, 'not proved again');
      if (proved.outcome === 'too_many_attempts') void reply.header('retry-after', String(proved.retryAfter));
      show(reply, visit, proved.outcome);
      return null;
    };
    /** The same for what nobody without a second factor does. */
    const owner = async (at: At) => {
      const { reply, visit } = at;
      const proved = await prove(at);
      if (proved === null) return null;
      if (proved.proof === null) {
        show(reply, { ...visit, record: proved.record }, 'no_second_factor');
        return null;
      }
      return { names: visit.names, account: visit.signedIn.account, expectedVersion: proved.version, proof: proved.proof };
    };

    form('password', async (at) => {
      const { request, reply, visit, sent } = at;
      const { names, document, signedIn } = visit;
      const { platform } = names;
      const { account, email } = signedIn;
      const password = sent.get('new_password') ?? '';
      const problem = newPasswordProblemOf({ email, current: sent.get('password') ?? '', password });
      if (problem !== null) return show(reply, visit, problem);
      if (password !== sent.get('new_password_again')) return show(reply, visit, 'password_differs');
      const proved = await prove(at);
      if (proved === null) return reply;
      const { proof, version: expectedVersion } = proved;
      // Every sign-in ends with a password. Who has just shown both goes on in a new one, in this browser.
      const signIn = newSignIn(deps, { platform, account, visitor: visitorOf(request), loaded: proved.loaded });
      const task = { names, account, expectedVersion, proof, password, signIn };
      const changed = await changePassword(deps.provisioning, byOf(request, visit), task);
      if ('refusal' in changed) return show(reply, visit, noticeOf[changed.refusal]);
      setSignInCookie(deps, reply, { platform, id: signIn.id, maxAge: document.lifetimes.signInSeconds });
      rememberDevice(deps, request, reply, { platform, account, record: changed });
      await tell(request, visit, 'password_changed');
      const record = foldAccount(await deps.log.load(platform, [{ streamId: account }]), account);
      return show(reply, record?.status === 'active' ? { ...visit, record } : visit, 'password_changed');
    });

    form('totp', async (at) => {
      const { reply, visit } = at;
      if (visit.document.signIn.mfa === 'off') return show(reply, visit, 'not_offered');
      if (visit.record.factors.length > 0) return show(reply, visit, 'already_enrolled');
      if ((await prove(at)) === null) return reply;
      return showEnrolment(reply, visit, newEnrolment(visit, { version: visit.version, replaces: false }), null);
    });

    form('totp/move', async (at) => {
      const { request, reply, visit } = at;
      if (visit.document.signIn.mfa === 'off') return show(reply, visit, 'not_offered');
      const task = await owner(at);
      if (task === null) return reply;
      const spent = await spendSecondFactor(deps.provisioning, byOf(request, visit), task);
      if ('refusal' in spent) return show(reply, visit, noticeOf[spent.refusal]);
      // A recovery code that was spent is an event of the account.
      const version = task.expectedVersion + (task.proof.method === 'recovery_code' ? 1 : 0);
      return showEnrolment(reply, visit, newEnrolment(visit, { version, replaces: true }), null);
    });

    form('totp/confirm', async ({ request, reply, visit, sent }) => {
      const { names, document, path, signedIn, loaded, now } = visit;
      const { platform } = names;
      const { account } = signedIn;
      const pending = openEnrolment(deps, platform, { sealed: sent.get('request'), account, now });
      if (pending === null || pending.accountVersion !== visit.version) return show(reply, visit, 'changed_meanwhile');
      const device = deviceOf(readKnownDevice(deps, request, platform), { account, record: visit.record });
      const admission = await admitCode(deps, { platform, account, address: request.ip, device }, now);
      if (admission.outcome === 'refused') {
        void reply.header('retry-after', String(admission.retryAfter));
        return showEnrolment(reply, visit, pending, 'too_many_attempts');
      }
      const seed = Uint8Array.fromBase64(pending.seed);
      // Sign-ins without a second factor end with the first one. Who has just shown it goes on in a new one, in this browser.
      const signIn = signedIn.amr.includes('mfa') ? null : newSignIn(deps, { platform, account, visitor: visitorOf(request), loaded });
      const task = { names, account, expectedVersion: pending.accountVersion, seed, code: sent.get('code') ?? '', signIn };
      const enrolled = await enrolTotp(deps.provisioning, byOf(request, visit), task);
      if ('refusal' in enrolled) {
        const notice = noticeOf[enrolled.refusal];
        return notice === 'wrong_code' || notice === 'code_used'
          ? showEnrolment(reply, visit, pending, notice)
          : show(reply, visit, notice);
      }
      await admission.giveBack();
      if (signIn !== null) setSignInCookie(deps, reply, { platform, id: signIn.id, maxAge: document.lifetimes.signInSeconds });
      await tell(request, visit, pending.replaces ? 'replaced' : 'enrolled');
      return sendPage(reply, 200, recoveryCodesPage({ document, path, recoveryCodes: enrolled.recoveryCodes }));
    });

    form('totp/remove', async (at) => {
      const { request, reply, visit } = at;
      if (visit.document.signIn.mfa === 'required') return show(reply, visit, 'required_by_platform');
      const task = await owner(at);
      if (task === null) return reply;
      const removed = await removeTotp(deps.provisioning, byOf(request, visit), task);
      if ('refusal' in removed) return show(reply, visit, noticeOf[removed.refusal]);
      await tell(request, visit, 'removed');
      return show(reply, { ...visit, record: { ...visit.record, factors: [], recoveryCodes: null } }, 'removed');
    });

    form('recovery-codes', async (at) => {
      const { request, reply, visit } = at;
      const task = await owner(at);
      if (task === null) return reply;
      const renewed = await renewRecoveryCodes(deps.provisioning, byOf(request, visit), task);
      if ('refusal' in renewed) return show(reply, visit, noticeOf[renewed.refusal]);
      await tell(request, visit, 'recovery_codes_renewed');
      return sendPage(reply, 200, recoveryCodesPage({ document: visit.document, path: visit.path, recoveryCodes: renewed.recoveryCodes }));
    });
  };
