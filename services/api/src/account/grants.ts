import { readHead } from '@grantlog/postgres';
import Type from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { missing, refusalProblem } from '../json-api/refusals.ts';
import { changed, nullable, platformParams } from '../json-api/schemas.ts';
import { endConnection } from '../pages/end-connection.ts';
import type { AccountDeps } from './account-deps.ts';

const words = { unknown_grant: missing('No such grant of this account') } as const;

/** What the account itself has granted. */
export const grantRoutes =
  (deps: AccountDeps) =>
  (app: JsonApi): void => {
    const { gate } = deps;
    app.delete(
      '/:platform/account/grants/:grantId',
      {
        ...gate.route,
        schema: {
          tags: ['Account'],
          summary: 'Revoke a grant of the account with all its tokens, and the session of the agent that it belongs to',
          params: Type.Object({ ...platformParams.properties, grantId: Type.String({ maxLength: 36 }) }),
          response: {
            200: Type.Object({
              ...changed.properties,
              receipt: nullable(
                Type.String({ description: 'Where a receipt of the revocation is, within some seconds; null where it had ended before' }),
              ),
            }),
          },
        },
      },
      async (request) => {
        const { names, account, by } = gate.passed(request);
        const { platform } = names;
        const { grantId: grant } = request.params;
        const ended = await endConnection(deps, { platform, account, grant, correlationId: by.correlationId });
        if (ended.outcome === 'unknown') throw refusalProblem(words, 'unknown_grant');
        const { position } = ended;
        if (position === null) return { position: await readHead(deps.provisioning.pool, platform), changed: false, receipt: null };
        return { position, changed: true, receipt: `/${platform}/account/receipts/${position}` };
      },
    );
  };
