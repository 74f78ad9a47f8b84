import type { GrantId } from '@grantlog/domain';
import { parseStreamId } from '@grantlog/domain';
import { changeClient, revokeClientGrant } from '@grantlog/provisioning';
import { type ListedGrant, listGrants } from '@grantlog/read-models';
import Type, { type Static } from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { missing, orThrow, refusalProblem } from '../json-api/refusals.ts';
import { changed, exactly, instant, nullable, position } from '../json-api/schemas.ts';
import { clientWords } from '../management/client-view.ts';
import type { DeveloperDeps } from './developer-deps.ts';
import { openOwnClient } from './own-client.ts';

const words = { unknown_client: clientWords.unknown_client, unknown_grant: missing('No such grant of this client') } as const;

const tags = ['Developers'];
const clientParams = Type.Object({ platform: Type.String(), clientId: Type.String({ maxLength: 255 }) });
const grantParams = Type.Object({ ...clientParams.properties, grantId: Type.String({ maxLength: 36 }) });
const statuses = Type.Enum(['authorized', 'active', 'expired', 'revoked', 'denied']);
const listed = Type.Object({
  grantId: Type.String(),
  subject: nullable(
    Type.String({ description: 'The pseudonym of the account, as `sub` has it; null where no person is behind the grant' }),
  ),
  scopes: Type.Array(Type.String()),
  resources: Type.Array(Type.String()),
  status: statuses,
  reason: nullable(Type.String()),
  tokenSequence: Type.Integer({ description: 'How many pairs of tokens were issued' }),
  authorizedAt: instant,
  lastIssuedAt: nullable(instant),
  expiresAt: nullable(instant),
  endedAt: nullable(instant),
});

const isoOrNull = (time: Date | null): string | null => time?.toISOString() ?? null;

const listedOf = (grant: ListedGrant): Static<typeof listed> => ({
  grantId: grant.grantId,
  subject: grant.account,
  scopes: [...grant.scopes],
  resources: [...grant.resources],
  status: grant.status,
  reason: grant.reason,
  tokenSequence: grant.tokenSequence,
  authorizedAt: grant.authorizedAt.toISOString(),
  lastIssuedAt: isoOrNull(grant.lastIssuedAt),
  expiresAt: isoOrNull(grant.expiresAt),
  endedAt: isoOrNull(grant.endedAt),
});

/** Tokens that were issued to a developer's client. They belong to grants: what ends is a grant, with all of its tokens. */
export const clientTokenRoutes =
  (deps: DeveloperDeps) =>
  (app: JsonApi): void => {
    const { gate, provisioning } = deps;

    app.get(
      '/:platform/developer/clients/:clientId/tokens',
      {
        ...gate.route,
        schema: {
          tags,
          summary: 'List the tokens issued to a client of yours, by grant, newest first; no token is shown',
          params: clientParams,
          querystring: exactly({
            status: Type.Optional(statuses),
            before: Type.Optional(Type.Integer({ minimum: 1, description: 'next of the page before' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
            minPosition: Type.Optional(position),
          }),
          response: {
            200: Type.Object({
              tokens: Type.Array(listed),
              next: nullable(Type.Integer()),
              current: Type.Boolean({ description: 'False where the list had not reached minPosition within half a second' }),
            }),
          },
        },
      },
      async (request) => {
        const developer = gate.passed(request);
        const { stream } = await openOwnClient(deps, developer, request.params.clientId);
        const page = await listGrants(deps.pool, { ...request.query, platform: developer.names.platform, client: stream });
        return { tokens: page.grants.map(listedOf), next: page.next, current: page.current };
      },
    );

    app.delete(
      '/:platform/developer/clients/:clientId/tokens/:grantId',
      {
        ...gate.route,
        schema: {
          tags,
          summary:
            'Revoke the tokens of one grant of a client of yours; of the position that is answered there is a receipt within some seconds',
          params: grantParams,
          response: { 200: changed },
        },
      },
      async (request) => {
        const { names, account, by } = gate.passed(request);
        const { clientId } = request.params;
        const grant = parseStreamId(request.params.grantId);
        if (grant === null) throw refusalProblem(words, 'unknown_grant');
        // Checked against the log below, as grants of this client of this account.
        const task = { platform: names.platform, clientId, owner: account, grant: grant as GrantId };
        return orThrow(words, await revokeClientGrant(provisioning, by, task));
      },
    );

    app.delete(
      '/:platform/developer/clients/:clientId/tokens',
      {
        ...gate.route,
        schema: {
          tags,
          summary: 'Revoke every token issued to a client of yours, for good',
          params: clientParams,
          response: { 200: changed },
        },
      },
      async (request) => {
        const { names, account, by } = gate.passed(request);
        const task = { platform: names.platform, clientId: request.params.clientId, owner: account };
        const command = { type: 'revokeGrants', reason: 'by_developer' } as const;
        return orThrow(clientWords, await changeClient(provisioning, by, { ...task, command }));
      },
    );
  };
