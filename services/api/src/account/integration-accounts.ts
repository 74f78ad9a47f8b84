import { randomToken } from '@grantlog/crypto';
import { ProblemError, problem } from '@grantlog/protocol';
import { listIntegrationAccounts, readPersonal, registerAccount, spendSecondFactor } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { AccountPassage } from '../access/account-gate.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { exactly, instant, label, nullable, platformParams } from '../json-api/schemas.ts';
import { foldAccount, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import type { AccountDeps } from './account-deps.ts';
import { ownerWords, presentAccount, proveOwner, shownAgain } from './owner.ts';

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
  ...shownAgain,
});
const made = Type.Object({
  accountId: Type.String(),
  username: Type.String(),
  password: Type.String({ description: 'Shown this once' }),
});

const listed = Type.Object({
  accountId: Type.String(),
  username: nullable(Type.String()),
  name: nullable(Type.String()),
  status: Type.Enum(['active', 'disabled']),
  roles: Type.Array(Type.String()),
  registeredAt: instant,
});

/**
 * Accounts for programs, made and seen by administrators of a platform that names a role for them: HTTP Basic takes them
 * where people need a second factor. They can do no more than who made them, and have no say about others.
 */
export const integrationAccountRoutes =
  (deps: AccountDeps) =>
  (app: JsonApi): void => {
    const { gate, provisioning } = deps;

    /** @throws ProblemError for everybody but a person with the role that the platform names. */
    const administrator = async (request: FastifyRequest): Promise<AccountPassage> => {
      const passage = gate.passed(request);
      const { names, record } = passage;
      const state = foldPlatform(await deps.log.load(names.platform, platformStreams));
      const role = state.status === 'none' ? null : state.document.exploration.administratorRole;
      if (role === null) {
        throw refused(404, {
          code: 'not_offered',
          title: 'Not found',
          detail: 'On this platform integration accounts are kept by its operators alone',
        });
      }
      if (!record.roles.includes(role))
        throw refused(403, { code: 'role_required', title: 'A role is missing', detail: `This needs the role ${role}`, role });
      if (record.kind === 'integration') {
        const detail = 'An integration account has no say about others';
        throw refused(403, { code: 'person_required', title: 'A person is needed', detail });
      }
      return passage;
    };

    app.get(
      '/:platform/account/integration-accounts',
      {
        ...gate.route,
        schema: {
          tags: ['Account'],
          summary: 'List the integration accounts of the platform, newest first',
          params: platformParams,
          querystring: exactly({
            before: Type.Optional(Type.Integer({ minimum: 1, description: 'next of the page before' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
          }),
          response: { 200: Type.Object({ accounts: Type.Array(listed), next: nullable(Type.Integer()) }) },
        },
      },
      async (request) => {
        const { platform } = (await administrator(request)).names;
        const { before, limit = 50 } = request.query;
        const page = await listIntegrationAccounts(provisioning.pool, { platform, before, limit });
        if (page.accounts.length === 0) return { accounts: [], next: null };
        const loaded = await deps.log.load(
          platform,
          page.accounts.map(({ account }) => ({ streamId: account, withSecrets: true })),
        );
        const shown = page.accounts.flatMap(({ account, registeredAt }): readonly Static<typeof listed>[] => {
          const state = foldAccount(loaded, account);
          if (state?.status !== 'active' && state?.status !== 'disabled') return [];
          const { dataKey: wrappedKey } = loaded.stream(account);
          const read = readPersonal(deps.sealer, { platform, subject: account, wrappedKey, personal: state.personal });
          const personal = read === 'erased' ? {} : read;
          return [
            {
              accountId: account,
              username: personal['email'] ?? null,
              name: personal['name'] ?? null,
              status: state.status,
              roles: [...state.roles],
              registeredAt: registeredAt.toISOString(),
            },
          ];
        });
        // Erased ones are left out, so a page may be shorter than asked for and not be the last.
        return { accounts: shown, next: page.next };
      },
    );

    app.post(
      '/:platform/account/integration-accounts',
      {
        ...gate.route,
        schema: {
          tags: ['Account'],
          summary: 'Make an account for a program; takes your password once more, and shows that of the account once',
          params: platformParams,
          body: newIntegration,
          response: { 201: made },
        },
      },
      async (request, reply) => {
        const passage = await administrator(request);
        const { names, account: maker, record, by } = passage;
        const { platform } = names;
        const beyond = request.body.roles.find((asked) => !record.roles.includes(asked));
        if (beyond !== undefined) {
          throw refused(403, {
            code: 'role_not_held',
            title: 'A role is missing',
            detail: `roles names ${beyond}, which you do not have: an integration account can do no more than who makes it`,
            role: beyond,
          });
        }
        // What is made outlives the token that asks for it: an app that was let in for a while would stay for good.
        const { email } = await presentAccount(deps, names, maker);
        const { password: shown, code = '' } = request.body;
        const { proof, version } = await proveOwner(deps, request, { passage, email, password: shown, code });
        if (proof !== null) {
          const spent = await spendSecondFactor(provisioning, by, { names, account: maker, expectedVersion: version, proof });
          // Nothing else stands against a proof alone.
          if ('refusal' in spent) throw refusalProblem(ownerWords, spent.refusal === 'code_used' ? 'code_used' : 'changed_meanwhile');
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
