import { Readable } from 'node:stream';
import { recordAuditRead, spendSecondFactor } from '@grantlog/provisioning';
import Type from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { exactly, platformParams } from '../json-api/schemas.ts';
import type { AccountDeps } from './account-deps.ts';
import { exportLines } from './export-lines.ts';
import { ownerWords, presentAccount, proveOwner, shownAgain } from './owner.ts';

const line = Type.Object(
  { part: Type.Enum(['account', 'grant', 'session', 'client', 'event', 'end']) },
  {
    description:
      'personal is what was sealed for the account, opened; "erased" once nothing opens it, "sealed" where it is sealed for somebody else',
  },
);

/** Everything that is kept about the account, for who it is about (GDPR Art. 15 and 20). */
export const exportRoutes =
  (deps: AccountDeps) =>
  (app: JsonApi): void => {
    const { gate, provisioning } = deps;
    app.post(
      '/:platform/account/export',
      {
        ...gate.route,
        // As long as it takes to send what there is.
        handlerTimeout: 3_600_000,
        schema: {
          tags: ['Account'],
          summary:
            'All data of the account: what it is, what it granted, its clients, and every event that concerns it with its own personal parts opened; takes the password once more',
          params: platformParams,
          body: exactly(shownAgain),
          response: {
            200: {
              description: 'A line a thing, the part first; the last is the end',
              content: { 'application/x-ndjson': { schema: line } },
            },
          },
        },
      },
      async (request, reply) => {
        const passage = gate.passed(request);
        const { names, account, by } = passage;
        const { platform } = names;
        const { password, code = '' } = request.body;
        // Whoever holds a token alone would take along in one go all that is sealed.
        const { email } = await presentAccount(deps, names, account);
        const { proof, version } = await proveOwner(deps, request, { passage, email, password, code });
        if (proof !== null) {
          const spent = await spendSecondFactor(provisioning, by, { names, account, expectedVersion: version, proof });
          // Nothing else stands against a proof alone.
          if ('refusal' in spent) throw refusalProblem(ownerWords, spent.refusal === 'code_used' ? 'code_used' : 'changed_meanwhile');
        }
        // Not somebody else's, but all of it: its owner sees when it was taken.
        await recordAuditRead(provisioning, by, { platform, question: 'export', about: { account } });
        const written = async function* (): AsyncGenerator<string> {
          for await (const lines of exportLines(deps, { names, account })) yield lines.map((each) => `${JSON.stringify(each)}\n`).join('');
        };
        return reply
          .type('application/x-ndjson')
          .header('cache-control', 'no-store')
          .header('content-disposition', 'attachment; filename="account.ndjson"')
          .send(Readable.from(written()) as never);
      },
    );
  };
