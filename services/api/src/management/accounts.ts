import { UnacceptablePassword } from '@grantlog/crypto';
import type { AccountId, AccountRefusal, NameRefusal } from '@grantlog/domain';
import { standingKinds } from '@grantlog/domain';
import { resetBasicUse } from '@grantlog/postgres';
import type { AccountChange } from '@grantlog/provisioning';
import { changeAccount, eraseAccount, registerAccount, setPassword } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { conflicting, missing, orThrow, type RefusalWords, refusalProblem, unfit } from '../json-api/refusals.ts';
import { type Changed, changed, exactly, label, noBody, platformParams, position, reasonBody } from '../json-api/schemas.ts';
import { foldAccount } from '../platforms/load-parties.ts';
import { accountKind, accountView, accountViewOf } from './account-view.ts';
import { activeClientsOf, changedOwner } from './active-clients.ts';
import type { ManagementDeps } from './management-deps.ts';
import { standingIdOf } from './standing-id.ts';

const words = {
  unknown_platform: missing('No such platform'),
  unknown_account: missing('No such account'),
  account_exists: conflicting('The account exists already'),
  account_erased: conflicting('The account has been erased'),
  name_taken: conflicting('Another account has this email'),
  not_owner: conflicting('The email belongs to another account'),
  unacceptable_email: unfit('email is not an address that mail could be sent to'),
  unacceptable_password: unfit('password is longer than 1,024 bytes'),
  unknown_role: unfit('roles names a role that cannot be assigned on this platform'),
  too_many_roles: unfit('An account has at most 256 roles'),
  too_many_contexts: unfit('An account has at most 256 contexts'),
  too_many_subjects: conflicting('The account is too many people of identity providers'),
  issuer_linked: conflicting('The account is somebody else of that identity provider'),
  integration_account: conflicting('An integration account has no second factor: nobody is there to be asked for it'),
  no_second_factor: conflicting('The account has no second factor'),
  recovery_code_unknown: unfit('The recovery code is unknown or was used before'),
} as const satisfies Record<
  AccountRefusal | NameRefusal | 'unknown_platform' | 'unknown_role' | 'unacceptable_email' | 'unacceptable_password',
  RefusalWords
>;

const tags = ['Accounts'];
const accountParams = Type.Object({ platform: Type.String(), accountId: Type.String() });
const roles = Type.Array(Type.String({ minLength: 1, maxLength: 101 }), { maxItems: 256, uniqueItems: true });
const password = Type.String({ minLength: 8, maxLength: 1024 });
const newAccount = exactly({
  email: Type.String({ maxLength: 255 }),
  name: label,
  password,
  roles: Type.Optional(roles),
  kind: Type.Optional(accountKind),
});
const hashable = async <Outcome>(work: Promise<Outcome>): Promise<Outcome> => {
  try {
    return await work;
  } catch (error) {
    if (error instanceof UnacceptablePassword) throw refusalProblem(words, 'unacceptable_password');
    throw error;
  }
};

/** Accounts of one platform; those of the system platform are its operators. */
export const accountRoutes =
  (deps: ManagementDeps) =>
  (app: JsonApi): void => {
    const { gate, provisioning } = deps;
    const idOf = (text: string): AccountId => {
      const id = standingIdOf<AccountId>(standingKinds.account, text);
      if (id === null) throw refusalProblem(words, 'unknown_account');
      return id;
    };
    const apply = async (request: FastifyRequest, accountId: string, command: AccountChange): Promise<Changed> => {
      const { names, by } = await gate.platform(request);
      return orThrow(words, await changeAccount(provisioning, by, { platform: names.platform, account: idOf(accountId), command }));
    };

    app.post(
      '/:platform/manage/accounts',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Register an account',
          params: platformParams,
          body: newAccount,
          response: { 201: Type.Object({ accountId: Type.String(), position }) },
        },
      },
      async (request, reply) => {
        const { names, by } = await gate.platform(request);
        const { email, name, password: plain, roles: assigned = [], kind: made = 'person' } = request.body;
        const account = { platform: names.platform, email, displayName: name, password: plain, roles: assigned, kind: made };
        const outcome = orThrow(words, await hashable(registerAccount(provisioning, by, account)));
        return reply
          .code(201)
          .header('location', `/${names.platform}/manage/accounts/${outcome.account}`)
          .send({ accountId: outcome.account, position: outcome.position });
      },
    );

    app.get(
      '/:platform/manage/accounts/:accountId',
      { ...gate.ofPlatform, schema: { tags, summary: 'Read an account', params: accountParams, response: { 200: accountView } } },
      async (request) => {
        const { names } = await gate.platform(request);
        const { platform } = names;
        const accountId = idOf(request.params.accountId);
        const loaded = await deps.log.load(platform, [{ streamId: accountId, withSecrets: true }]);
        const state = foldAccount(loaded, accountId);
        if (state === null || state.status === 'none') throw refusalProblem(words, 'unknown_account');
        return accountViewOf(deps.sealer, { platform, accountId, state, wrappedKey: loaded.stream(accountId).dataKey });
      },
    );

    app.put(
      '/:platform/manage/accounts/:accountId/password',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: "Set an account's password; its sign-ins end, its grants do not",
          params: accountParams,
          body: exactly({ password }),
          response: { 200: changed },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const task = { platform: names.platform, account: idOf(request.params.accountId), password: request.body.password };
        return orThrow(words, await hashable(setPassword(provisioning, by, task)));
      },
    );
    app.put(
      '/:platform/manage/accounts/:accountId/roles',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Assign the roles of an account, all of them',
          params: accountParams,
          body: exactly({ roles }),
          response: { 200: changed },
        },
      },
      (request) => apply(request, request.params.accountId, { type: 'assignRoles', roles: request.body.roles }),
    );
    app.post(
      '/:platform/manage/accounts/:accountId/enable',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Enable a disabled account; what it granted works again',
          params: accountParams,
          body: noBody,
          response: { 200: changed },
        },
      },
      (request) => apply(request, request.params.accountId, { type: 'enable' }),
    );
    app.post(
      '/:platform/manage/accounts/:accountId/disable',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Disable an account until it is enabled; clients that it registered go on',
          params: accountParams,
          body: reasonBody,
          response: { 200: changedOwner },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const developer = { platform: names.platform, account: idOf(request.params.accountId) };
        const command = { type: 'disable', reason: request.body.reason ?? 'unspecified' } as const;
        const done = orThrow(words, await changeAccount(provisioning, by, { ...developer, command }));
        return { ...done, ...(await activeClientsOf(deps, developer)) };
      },
    );
    app.post(
      '/:platform/manage/accounts/:accountId/revoke-grants',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'End every grant of an account, for good',
          params: accountParams,
          body: reasonBody,
          response: { 200: changed },
        },
      },
      (request) => apply(request, request.params.accountId, { type: 'revokeGrants', reason: request.body.reason ?? 'unspecified' }),
    );
    app.post(
      '/:platform/manage/accounts/:accountId/reset-exploration',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Let an account begin its days of HTTP Basic anew',
          params: accountParams,
          body: noBody,
          response: { 200: Type.Object({ reset: Type.Boolean({ description: 'False where it had used nothing' }) }) },
        },
      },
      async (request) => {
        const { names, operator } = await gate.platform(request);
        const { platform } = names;
        const account = idOf(request.params.accountId);
        const state = foldAccount(await deps.log.load(platform, [{ streamId: account }]), account);
        if (state === null || state.status === 'none') throw refusalProblem(words, 'unknown_account');
        const reset = await resetBasicUse(provisioning.pool, { platform, account });
        // No event: a counter is no truth, and nothing is granted by it. Who did it is in the log of the process.
        request.log.info({ platform, account, operator: operator.id, reset }, 'the exploration of an account was reset');
        return { reset };
      },
    );
    app.delete(
      '/:platform/manage/accounts/:accountId',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Erase an account: its personal data and its claim on its email; clients that it registered go on',
          params: accountParams,
          response: { 200: changedOwner },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const task = { platform: names.platform, account: idOf(request.params.accountId) };
        const done = orThrow(words, await eraseAccount(provisioning, by, task));
        return { ...done, ...(await activeClientsOf(deps, task)) };
      },
    );
  };
