import type { GrantId, GrantRefusal } from '@grantlog/domain';
import { parseStreamId, standingKinds } from '@grantlog/domain';
import { longestClientId } from '@grantlog/protocol';
import { isGrant, revokeGrant } from '@grantlog/provisioning';
import { listGrants } from '@grantlog/read-models';
import Type from 'typebox';
import { loadWithSources } from '../delegation/load-with-sources.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { conflicting, missing, orThrow, type RefusalWords, refusalProblem } from '../json-api/refusals.ts';
import { changed, exactly, instant, noBody, nullable, platformParams, position } from '../json-api/schemas.ts';
import { grantStanding } from '../platforms/grant-standing.ts';
import { foldGrant, platformStreams } from '../platforms/load-parties.ts';
import { grantTermsView, grantView, grantViewOf } from './grant-view.ts';
import type { ManagementDeps } from './management-deps.ts';
import { standingIdOf } from './standing-id.ts';

const never = conflicting('The grant does not allow this');
const words = {
  unknown_grant: missing('No such grant'),
  grant_denied: conflicting('The grant was denied: there is nothing to revoke'),
  grant_ended: conflicting('The grant has ended already'),
  // What only holders of tokens and codes are told; no command from here can meet it.
  already_decided: never,
  not_standing: never,
  wrong_client: never,
  redirect_uri_missing: never,
  redirect_uri_mismatch: never,
  verifier_missing: never,
  verifier_unexpected: never,
  verifier_mismatch: never,
  code_expired: never,
  code_replayed: never,
  code_not_redeemed: never,
  sequence_unknown: never,
  refresh_expired: never,
  refresh_reused: never,
  refresh_retried_too_often: never,
  retry_differs: never,
  retry_of_revoked: never,
  clock_stepped_back: never,
  scope_not_granted: never,
  resource_not_granted: never,
  resource_ambiguous: never,
  proof_key_mismatch: never,
  context_pinned: conflicting('The app asked for this very context; it has to ask anew for another'),
  not_expired: never,
} as const satisfies Record<GrantRefusal, RefusalWords>;

const tags = ['Grants'];
const grantParams = Type.Object({ platform: Type.String(), grantId: Type.String() });
const listed = Type.Object({
  ...grantTermsView,
  status: Type.Enum(['authorized', 'active', 'expired', 'revoked', 'denied']),
  reason: nullable(Type.String()),
  tokenSequence: Type.Integer(),
  position,
  lastIssuedAt: nullable(instant),
  expiresAt: nullable(instant),
  endedAt: nullable(instant),
});

const iso = (time: Date): string => time.toISOString();
const isoOrNull = (time: Date | null): string | null => (time === null ? null : iso(time));

/** Grants of one platform: the list comes from its projection, a single one from the log itself. */
export const grantRoutes =
  (deps: ManagementDeps) =>
  (app: JsonApi): void => {
    const { gate } = deps;
    const idOf = (text: string): GrantId => {
      const id = parseStreamId(text);
      if (id === null) throw refusalProblem(words, 'unknown_grant');
      return id as GrantId;
    };

    app.get(
      '/:platform/manage/grants',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'List grants, newest first',
          params: platformParams,
          querystring: exactly({
            clientId: Type.Optional(Type.String({ minLength: 1, maxLength: longestClientId })),
            account: Type.Optional(Type.String({ minLength: 1, maxLength: 36 })),
            status: Type.Optional(Type.Enum(['authorized', 'active', 'expired', 'revoked', 'denied'])),
            before: Type.Optional(Type.Integer({ minimum: 1, description: 'next of the page before' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
            minPosition: Type.Optional(position),
          }),
          response: {
            200: Type.Object({
              grants: Type.Array(listed),
              next: nullable(Type.Integer()),
              current: Type.Boolean({ description: 'False where the list had not reached minPosition within half a second' }),
            }),
          },
        },
      },
      async (request) => {
        const { names } = await gate.platform(request);
        const { clientId, account, ...query } = request.query;
        const accountId = account === undefined ? null : standingIdOf(standingKinds.account, account);
        // An id that no account can have belongs to none: an empty page, as for any other that is not there.
        if (account !== undefined && accountId === null) return { grants: [], next: null, current: true };
        const page = await listGrants(deps.pool, {
          platform: names.platform,
          ...query,
          ...(clientId === undefined ? {} : { client: names.client(clientId) }),
          ...(accountId === null ? {} : { account: accountId }),
        });
        return {
          next: page.next,
          current: page.current,
          grants: page.grants.map((grant) => ({
            grantId: grant.grantId,
            flow: grant.flow,
            clientId: grant.clientId,
            clientStream: grant.client,
            account: grant.account,
            scopes: [...grant.scopes],
            resources: [...grant.resources],
            context: grant.context,
            authorizedAt: iso(grant.authorizedAt),
            status: grant.status,
            reason: grant.reason,
            tokenSequence: grant.tokenSequence,
            position: grant.position,
            lastIssuedAt: isoOrNull(grant.lastIssuedAt),
            expiresAt: isoOrNull(grant.expiresAt),
            endedAt: isoOrNull(grant.endedAt),
          })),
        };
      },
    );

    app.get(
      '/:platform/manage/grants/:grantId',
      { ...gate.ofPlatform, schema: { tags, summary: 'Read a grant as it stands now', params: grantParams, response: { 200: grantView } } },
      async (request) => {
        const { names } = await gate.platform(request);
        const { platform } = names;
        const id = idOf(request.params.grantId);
        if (!(await isGrant(deps.provisioning, { platform, id }))) throw refusalProblem(words, 'unknown_grant');
        const loaded = await loadWithSources(deps.log, platform, {
          requests: [...platformStreams, { streamId: id, follow: true }],
          grants: [id],
        });
        const state = foldGrant(loaded, id);
        if (state.status === 'none') throw refusalProblem(words, 'unknown_grant');
        return grantViewOf(id, state, state.status === 'denied' ? 'good' : grantStanding(loaded, state));
      },
    );

    app.post(
      '/:platform/manage/grants/:grantId/revoke',
      {
        ...gate.ofPlatform,
        schema: { tags, summary: 'End a grant and all its tokens', params: grantParams, body: noBody, response: { 200: changed } },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const task = { platform: names.platform, grant: idOf(request.params.grantId) };
        return orThrow(words, await revokeGrant(deps.provisioning, by, task));
      },
    );
  };
