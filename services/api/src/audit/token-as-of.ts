import { logAsOf, readVersions } from '@grantlog/postgres';
import { recordAuditRead } from '@grantlog/provisioning';
import Type from 'typebox';
import { resolveAccess } from '../access/resolve-access.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { exactly, instant, nullable, platformParams } from '../json-api/schemas.ts';
import { grantView, grantViewOf } from '../management/grant-view.ts';
import { readToken } from '../tokens/read-token.ts';
import { refuseArchivedStream } from './archives.ts';
import type { AuditDeps } from './audit-deps.ts';
import { atParameter, momentView, momentViewOf, resolveMoment } from './moment.ts';

/** Whether a token was good at a moment. It is read by the very code that introspection asks, on the log as it was, and kept nowhere. */
export const tokenAsOfRoute =
  (deps: AuditDeps) =>
  (app: JsonApi): void => {
    const { gate, pool } = deps;
    app.post(
      '/:platform/audit/token',
      {
        ...gate.ofPlatform,
        schema: {
          tags: ['Audit'],
          summary: 'Whether a token that is shown was good at a moment, what it opened, and why not. The token is not kept',
          params: platformParams,
          body: exactly({ token: Type.String({ minLength: 1, maxLength: 8_192 }), at: atParameter }),
          response: {
            200: Type.Object({
              at: momentView,
              isGood: Type.Boolean(),
              reason: nullable(Type.String({ description: 'Why it was not good' })),
              kind: nullable(Type.Enum(['access', 'refresh'])),
              scopes: Type.Array(Type.String()),
              resource: nullable(Type.String()),
              sequence: nullable(Type.Integer()),
              expiresAt: nullable(instant),
              grant: nullable(grantView),
            }),
          },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const { platform } = names;
        const { token: text, at } = request.body;
        const moment = await resolveMoment(pool, platform, at);
        const grant = readToken(text)?.grantId ?? null;
        const { live, reason } = await resolveAccess({ ...deps, log: logAsOf(pool, moment) }, names, text);
        const { client = null, account = null } = live?.grant.terms ?? {};
        await recordAuditRead(deps.provisioning, by, {
          platform,
          question: 'token',
          about: { grant, client, account, at: moment.position, time: new Date(moment.now).toISOString() },
        });
        if (live === null) {
          const [version] = grant === null ? [] : await readVersions(pool, [{ platform, streamId: grant }]);
          if (grant !== null && version === 0) await refuseArchivedStream(pool, { platform, streamId: grant });
          const nothing = { kind: null, scopes: [], resource: null, sequence: null, expiresAt: null, grant: null };
          return { at: momentViewOf(moment), isGood: false, reason, ...nothing };
        }
        const { kind, token } = live;
        return {
          at: momentViewOf(moment),
          isGood: true,
          reason: null,
          kind,
          scopes: [...token.scopes],
          resource: token.resource,
          sequence: token.sequence,
          expiresAt: new Date(token.expiresAt * 1000).toISOString(),
          grant: grantViewOf(live.grantId, live.grant, 'good'),
        };
      },
    );
  };
