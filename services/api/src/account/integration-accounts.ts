import { randomToken } from '@grantlog/crypto';
import { ProblemError, problem } from '@grantlog/protocol';
import { registerAccount } from '@grantlog/provisioning';
import Type from 'typebox';
import { exactly, label, platformParams } from '../management/schemas.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import type { AccountApp, AccountDeps } from './account-api.ts';

const refused = (
  status: 403 | 404,
  told: { readonly code: string; readonly title: string; readonly detail: string; readonly role?: string },
) => {
  const { code, title, detail, role } = told;
  return new ProblemError(
    problem({ status, type: `urn:grantlog:problem:${code}`, title, detail, members: { code, ...(role === undefined ? {} : { role }) } }),
  );
};

const newIntegration = exactly({
  name: label,
  roles: Type.Array(Type.String({ minLength: 1, maxLength: 101 }), {
    maxItems: 256,
    uniqueItems: true,
    description: 'At most those that the caller has',
  }),
});
const made = Type.Object({
  accountId: Type.String(),
  username: Type.String(),
  password: Type.String({ description: 'Shown this once' }),
});

/**
 * Accounts for programs, made by administrators of a platform that names a role for them: HTTP Basic takes them where
 * people need a second factor. They can do no more than who made them, and cannot make others.
 */
export const integrationAccountRoutes =
  (deps: AccountDeps) =>
  (app: AccountApp): void => {
    const { gate, provisioning } = deps;
    app.post(
      '/:platform/account/integration-accounts',
      {
        ...gate.ofAccount,
        schema: {
          tags: ['Account'],
          summary: 'Make an account for a program; its password is shown once',
          params: platformParams,
          body: newIntegration,
          response: { 201: made },
        },
      },
      async (request, reply) => {
        const { names, record, by } = gate.passed(request);
        const { platform } = names;
        const state = foldPlatform(await deps.log.load(platform, platformStreams));
        const role = state.status === 'none' ? null : state.document.exploration.administratorRole;
        if (role === null) {
          throw refused(404, {
            code: 'not_offered',
            title: 'Not found',
            detail: 'On this platform integration accounts are made by its operators alone',
          });
        }
        if (!record.roles.includes(role))
          throw refused(403, { code: 'role_required', title: 'A role is missing', detail: `This needs the role ${role}`, role });
        if (record.kind === 'integration')
          throw refused(403, { code: 'person_required', title: 'A person is needed', detail: 'An integration account cannot make others' });
        const beyond = request.body.roles.find((asked) => !record.roles.includes(asked));
        if (beyond !== undefined) {
          throw refused(403, {
            code: 'role_not_held',
            title: 'A role is missing',
            detail: `roles names ${beyond}, which you do not have: an integration account can do no more than who makes it`,
            role: beyond,
          });
        }
        // Nobody receives mail there: `.invalid` never resolves (RFC 6761 §6.4).
        const username = `integration-${Buffer.from(randomToken(8), 'base64url').toString('hex')}@${platform}.invalid`;
        const password = randomToken(24);
        const account = { platform, email: username, displayName: request.body.name, password, roles: request.body.roles };
        const outcome = await registerAccount(provisioning, by, { ...account, kind: 'integration' });
        // The roles are assignable, for the caller has them, and the name is new: a change meanwhile is all that is left.
        if (outcome.kind === 'refused') throw new Error(`an integration account was refused: ${outcome.refusal}`);
        return reply.code(201).send({ accountId: outcome.account, username, password });
      },
    );
  };
