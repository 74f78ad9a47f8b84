import { changePassword, type PasswordRefusal } from '@grantlog/provisioning';
import Type from 'typebox';
import { type NewPasswordProblem, newPasswordProblemOf, passwordWords } from '../access/password-rules.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { orThrow, type RefusalWords, refusalProblem, unfit } from '../json-api/refusals.ts';
import { exactly, platformParams, position } from '../json-api/schemas.ts';
import { tellOwner } from '../pages/security-mail.ts';
import type { AccountDeps } from './account-deps.ts';
import { ownerWords, presentAccount, proveOwner, shownAgain } from './owner.ts';

const words = {
  ...ownerWords,
  password_short: unfit(passwordWords.password_short),
  password_long: unfit(passwordWords.password_long),
  password_is_email: unfit(passwordWords.password_is_email),
  password_unchanged: unfit(passwordWords.password_unchanged),
} as const satisfies Record<NewPasswordProblem | PasswordRefusal, RefusalWords>;

/** The password of the account itself. */
export const passwordRoutes =
  (deps: AccountDeps) =>
  (app: JsonApi): void => {
    const { gate, provisioning } = deps;
    app.put(
      '/:platform/account/password',
      {
        ...gate.route,
        schema: {
          tags: ['Account'],
          summary: 'Change the password; every browser has to sign in again, and what was granted to apps stays',
          params: platformParams,
          body: exactly({
            ...shownAgain,
            newPassword: Type.String({ minLength: 1, maxLength: 2048, description: 'At least 12 characters, at most 1,024 bytes' }),
          }),
          response: { 200: Type.Object({ position }) },
        },
      },
      async (request) => {
        const passage = gate.passed(request);
        const { names, account, by } = passage;
        const { password: current, newPassword: password, code = '' } = request.body;
        const { document, record, email } = await presentAccount(deps, names, account);
        const problem = newPasswordProblemOf({ email, current, password });
        if (problem !== null) throw refusalProblem(words, problem);
        const { proof, version } = await proveOwner(deps, request, { passage, email, password: current, code });
        const task = { names, account, expectedVersion: version, proof, password, signIn: null };
        const { position: at } = orThrow(words, await changePassword(provisioning, by, task));
        // Nobody reads the mail of a program.
        if (record.kind === 'person') await tellOwner(deps, request.log, { names, document, account, email, news: 'password_changed' });
        return { position: at };
      },
    );
  };
