import type { SessionId } from '@grantlog/domain';
import { parseStreamId, sessionStatus } from '@grantlog/domain';
import { isSession, readPersonal, revokeSession, sessionGrant } from '@grantlog/provisioning';
import Type, { type Static } from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { missing, orThrow, type RefusalWords, refusalProblem } from '../json-api/refusals.ts';
import { changed, instant, noBody, nullable } from '../json-api/schemas.ts';
import { type LoadedSession, loadedSession, sessionRequests } from '../sessions/load-session.ts';
import type { ManagementDeps } from './management-deps.ts';

const words = {
  unknown_platform: missing('No such platform'),
  unknown_session: missing('No such session'),
} as const satisfies Record<'unknown_platform' | 'unknown_session', RefusalWords>;

const tags = ['Sessions'];
const sessionParams = Type.Object({ platform: Type.String(), sessionId: Type.String({ description: 'The stream of the session' }) });
const sessionView = Type.Object({
  sessionId: Type.String(),
  status: Type.Enum(['pending', 'complete', 'denied', 'expired', 'revoked'], { description: 'What its agent is told' }),
  recorded: Type.Enum(['pending', 'linked', 'redeemed', 'ended'], { description: 'What the log says of the session itself' }),
  reason: nullable(Type.String({ description: 'How it ended' })),
  standing: Type.String({ description: 'Whether client, account and platform let it act: good, or the first reason why not' }),
  via: Type.Enum(['init_signup', 'device_authorization']),
  clientId: Type.String(),
  clientStream: Type.String(),
  account: nullable(Type.String()),
  grantId: nullable(Type.String({ description: 'What the consent of the person opened' })),
  scopes: Type.Array(Type.String()),
  resources: Type.Array(Type.String()),
  hasCodeChallenge: Type.Boolean(),
  webhookEndpoints: Type.Array(Type.String()),
  from: Type.Union([Type.Object({ address: nullable(Type.String()), userAgent: nullable(Type.String()) }), Type.Enum(['erased'])], {
    description: 'From where, and by which program, the agent began it',
  }),
  startedAt: instant,
  expiresAt: instant,
  linkedAt: nullable(instant),
  redeemedAt: nullable(instant),
  endedAt: nullable(instant),
});

type From = ReturnType<typeof readPersonal>;

const iso = (time: number): string => new Date(time).toISOString();

/** A session with its grant at one instant, without what its tokens and its number are made from. */
const viewOf = ({ id, state, grant, standing }: LoadedSession, now: number, personal: From): Static<typeof sessionView> => {
  const { terms } = state;
  const linkedAt = state.status === 'pending' ? null : state.linkedAt;
  const status = sessionStatus({ session: state, grant, standing, now });
  if (status === null) throw new Error('a session that began has no status');
  return {
    sessionId: id,
    status,
    recorded: state.status,
    reason: state.status === 'ended' ? state.reason : null,
    standing,
    via: terms.via,
    clientId: terms.clientId,
    clientStream: terms.client,
    account: state.status === 'pending' ? null : state.account,
    grantId: grant.status === 'none' ? null : sessionGrant(id),
    scopes: [...terms.scopes],
    resources: [...terms.resources],
    hasCodeChallenge: terms.codeChallenge !== null,
    webhookEndpoints: [...state.endpoints],
    from: personal === 'erased' ? 'erased' : { address: personal['address'] ?? null, userAgent: personal['userAgent'] ?? null },
    startedAt: iso(state.startedAt),
    expiresAt: iso(terms.expiresAt * 1000),
    linkedAt: linkedAt === null ? null : iso(linkedAt),
    redeemedAt: state.status === 'redeemed' ? iso(state.redeemedAt) : null,
    endedAt: state.status === 'ended' ? iso(state.endedAt) : null,
  };
};

/** Agents' sign-up sessions of one platform, from the log itself. */
export const sessionRoutes =
  (deps: ManagementDeps) =>
  (app: JsonApi): void => {
    const { gate, provisioning } = deps;
    // What an agent calls its sessionId is a secret and no id of anything here.
    const idOf = (text: string): SessionId => {
      const id = parseStreamId(text);
      if (id === null) throw refusalProblem(words, 'unknown_session');
      return id as SessionId;
    };

    app.get(
      '/:platform/manage/sessions/:sessionId',
      {
        ...gate.ofPlatform,
        schema: { tags, summary: 'Read a sign-up session as it stands now', params: sessionParams, response: { 200: sessionView } },
      },
      async (request) => {
        const { names } = await gate.platform(request);
        const { platform } = names;
        const id = idOf(request.params.sessionId);
        if (!(await isSession(provisioning, { platform, id }))) throw refusalProblem(words, 'unknown_session');
        const loaded = await deps.log.load(platform, sessionRequests(id, { withSecrets: true }));
        const session = loadedSession(loaded, id);
        if (session === null) throw refusalProblem(words, 'unknown_session');
        const { personal } = session.state;
        const wrappedKey = loaded.stream(id).dataKey;
        return viewOf(session, loaded.now, readPersonal(deps.sealer, { platform, subject: id, wrappedKey, personal }));
      },
    );

    app.post(
      '/:platform/manage/sessions/:sessionId/revoke',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'End a sign-up session and all its tokens',
          params: sessionParams,
          body: noBody,
          response: { 200: changed },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const { platform } = names;
        const session = idOf(request.params.sessionId);
        return orThrow(words, await revokeSession(provisioning, by, { platform, session, reason: 'by_operator' }));
      },
    );
  };
