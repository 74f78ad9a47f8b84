import { createTotpSeed, otpauthUri, totpSecretText } from '@grantlog/crypto';
import type { AccountId, PlatformDocument } from '@grantlog/domain';
import { type EnrolmentRefusal, enrolTotp, type PlatformNames, removeTotp, type SecondFactorRefusal } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { admitCode } from '../access/second-factor-attempts.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { conflicting, missing, type RefusalWords, refusalProblem, unfit } from '../json-api/refusals.ts';
import { exactly, platformParams } from '../json-api/schemas.ts';
import { tellOwner } from '../pages/security-mail.ts';
import { recoveryCodesLeft, requiredByPlatform } from '../pages/security-page.ts';
import type { AccountDeps } from './account-deps.ts';
import { ownerWords, presentAccount, proveOwner, told, tooMany } from './owner.ts';
import { openEnrolment, sealEnrolment } from './sealed-enrolment.ts';

type Refusal = Exclude<EnrolmentRefusal | SecondFactorRefusal, 'required_by_platform'> | 'already_enrolled';

const words = {
  ...ownerWords,
  not_offered: conflicting('This platform offers no second factor'),
  already_enrolled: conflicting('The account has a second factor already. Switch it off first, or move it on the security page'),
  no_second_factor: conflicting('The account has no second factor'),
  integration_account: conflicting('An integration account has no second factor: nobody is there to be asked for it'),
  changed_meanwhile: conflicting('The enrolment is too old, or the account has changed meanwhile. Begin again'),
  recovery_code_unknown: unfit('The recovery code is unknown or was used before'),
  unknown_account: missing('No such account'),
  account_exists: conflicting('The account exists already'),
  account_erased: conflicting('The account has been erased'),
  too_many_roles: conflicting('The account has too many roles'),
  too_many_contexts: conflicting('The account has too many contexts'),
  too_many_subjects: conflicting('The account is too many people of identity providers'),
  issuer_linked: conflicting('The account is somebody else of that identity provider'),
} as const satisfies Record<Refusal, RefusalWords>;

const tags = ['Account'];
const code = Type.String({ minLength: 1, maxLength: 64 });
const password = Type.String({ minLength: 1, maxLength: 1024 });
const securityView = Type.Object({
  mfa: Type.Enum(['off', 'optional', 'required'], { description: 'Whether accounts of this platform may, or must, have a second factor' }),
  factors: Type.Array(Type.Enum(['totp', 'passkey'])),
  recoveryCodesLeft: Type.Integer(),
});
const begun = Type.Object({
  secret: Type.String({ description: 'Base32' }),
  otpauthUri: Type.String(),
  enrolment: Type.String({ description: 'Send it back with a first code within 15 minutes; nothing is written before' }),
});

/** The second factor of the account itself. */
export const secondFactorRoutes =
  (deps: AccountDeps) =>
  (app: JsonApi): void => {
    const { gate, provisioning } = deps;

    const tell = (
      request: FastifyRequest,
      to: { readonly names: PlatformNames; readonly document: PlatformDocument; readonly account: AccountId; readonly email: string },
      news: 'enrolled' | 'removed',
    ): Promise<void> => tellOwner(deps, request.log, { ...to, news });

    app.get(
      '/:platform/account/security',
      {
        ...gate.route,
        schema: { tags, summary: 'How the account is secured', params: platformParams, response: { 200: securityView } },
      },
      async (request) => {
        const { names, account } = gate.passed(request);
        const { document, record } = await presentAccount(deps, names, account);
        const factors = record.factors.map(({ factor }) => factor);
        return { mfa: document.signIn.mfa, factors, recoveryCodesLeft: recoveryCodesLeft(record) };
      },
    );

    app.post(
      '/:platform/account/mfa/totp',
      {
        ...gate.route,
        schema: {
          tags,
          summary: 'Begin to set up an authenticator app',
          params: platformParams,
          body: exactly({ password }),
          response: { 200: begun },
        },
      },
      async (request) => {
        const passage = gate.passed(request);
        const { names, account } = passage;
        const { document, record, email, now } = await presentAccount(deps, names, account);
        if (document.signIn.mfa === 'off') throw refusalProblem(words, 'not_offered');
        if (record.kind === 'integration') throw refusalProblem(words, 'integration_account');
        if (record.factors.length > 0) throw refusalProblem(words, 'already_enrolled');
        // Whoever holds a token alone would otherwise lock its owner out with an app of their own.
        const { version } = await proveOwner(deps, request, { passage, email, password: request.body.password, code: '' });
        const seed = createTotpSeed();
        const pending = { account, accountVersion: version, seed: seed.toBase64(), replaces: false, issuedAt: now };
        return {
          secret: totpSecretText(seed),
          otpauthUri: otpauthUri({ seed, issuer: document.branding.displayName, account: email }),
          enrolment: sealEnrolment(deps, names.platform, pending),
        };
      },
    );

    app.post(
      '/:platform/account/mfa/totp/confirm',
      {
        ...gate.route,
        schema: {
          tags,
          summary: 'Switch the authenticator app on with a first code; the recovery codes are shown once',
          params: platformParams,
          body: exactly({ enrolment: Type.String({ maxLength: 2_048 }), code }),
          response: { 200: Type.Object({ recoveryCodes: Type.Array(Type.String()) }) },
        },
      },
      async (request) => {
        const { names, account, by } = gate.passed(request);
        const { document, email, now } = await presentAccount(deps, names, account);
        const pending = openEnrolment(deps, names.platform, { sealed: request.body.enrolment, account, now });
        if (pending === null) throw refusalProblem(words, 'changed_meanwhile');
        const admission = await admitCode(deps, { platform: names.platform, account, address: request.ip, device: null }, now);
        if (admission.outcome === 'refused') throw tooMany(admission.retryAfter);
        const seed = Uint8Array.fromBase64(pending.seed);
        const task = { names, account, expectedVersion: pending.accountVersion, seed, code: request.body.code, signIn: null };
        const enrolled = await enrolTotp(provisioning, by, task);
        if ('refusal' in enrolled) throw refusalProblem(words, enrolled.refusal);
        await admission.giveBack();
        await tell(request, { names, document, account, email }, 'enrolled');
        return { recoveryCodes: [...enrolled.recoveryCodes] };
      },
    );

    app.delete(
      '/:platform/account/mfa/totp',
      {
        ...gate.route,
        schema: {
          tags,
          summary: 'Switch the second factor off, where the platform does not require one',
          params: platformParams,
          body: exactly({ password, code }),
          response: { 200: securityView },
        },
      },
      async (request) => {
        const passage = gate.passed(request);
        const { names, account, by } = passage;
        const { document, email } = await presentAccount(deps, names, account);
        const required = () => told({ status: 409, code: 'required_by_platform', title: 'Conflict', detail: requiredByPlatform(document) });
        if (document.signIn.mfa === 'required') throw required();
        const { proof, version } = await proveOwner(deps, request, { passage, email, ...request.body });
        if (proof === null) throw refusalProblem(words, 'no_second_factor');
        const removed = await removeTotp(provisioning, by, { names, account, expectedVersion: version, proof });
        if ('refusal' in removed) throw removed.refusal === 'required_by_platform' ? required() : refusalProblem(words, removed.refusal);
        await tell(request, { names, document, account, email }, 'removed');
        return { mfa: document.signIn.mfa, factors: [], recoveryCodesLeft: 0 };
      },
    );
  };
