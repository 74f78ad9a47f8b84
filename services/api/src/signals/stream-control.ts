import { type AccountId, parseStreamId } from '@grantlog/domain';
import { changeEndpoint, type EndpointChange } from '@grantlog/provisioning';
import Type, { type Static } from 'typebox';
import type { Deps } from '../deps.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { orThrow, refusalProblem } from '../json-api/refusals.ts';
import { exactly, platformParams } from '../json-api/schemas.ts';
import { admitMessage } from '../webhooks/admit-message.ts';
import { receiverRoute } from './receiver-route.ts';
import { loadStream, type OwnStream, type SignalPassage } from './signal-door.ts';
import { signalWords } from './signal-words.ts';
import { oneStream } from './stream-schemas.ts';

const streamId = Type.String({ maxLength: 64 });
const status = Type.Enum(['enabled', 'paused', 'disabled'], {
  description: 'paused holds what happens, for seven days at most; disabled drops it',
});
const reason = Type.String({ maxLength: 256 });
const statusView = Type.Object({ stream_id: streamId, status, reason: Type.Optional(reason) });
const newStatus = exactly({ stream_id: streamId, status, reason: Type.Optional(reason) });

/** RFC 9493; what else a format has is put up with. */
const subject = Type.Object({ format: Type.String({ maxLength: 64 }) });
const subjectBody = Type.Object({ stream_id: streamId, subject, verified: Type.Optional(Type.Boolean()) });
const verificationBody = exactly({
  stream_id: streamId,
  state: Type.Optional(Type.String({ maxLength: 256, description: 'Repeated in the event' })),
});

const statusOf = ({ id, state }: OwnStream): Static<typeof statusView> => {
  if (state.status === 'disabled') return { stream_id: id, status: 'disabled', reason: state.reason };
  if (state.paused === null) return { stream_id: id, status: 'enabled' };
  return { stream_id: id, status: 'paused', ...(state.paused.reason === null ? {} : { reason: state.paused.reason }) };
};

/** What takes a stream from where it is to where it should be. */
const stepsTo = ({ state }: OwnStream, to: Static<typeof newStatus>): readonly EndpointChange[] => {
  const enable: readonly EndpointChange[] = state.status === 'disabled' ? [{ type: 'enable' }] : [];
  switch (to.status) {
    case 'enabled':
      return [...enable, { type: 'resume' }];
    case 'paused':
      return [...enable, { type: 'pause', reason: to.reason ?? null }];
    case 'disabled':
      return [{ type: 'disable' }];
  }
};

type Named = { readonly format?: unknown; readonly iss?: unknown; readonly sub?: unknown; readonly user?: unknown };

/** The account that a subject names. @throws ProblemError 422 for what is none of ours */
const accountOf = (named: Named, issuer: string): AccountId => {
  const { user } = named;
  if (named.format === 'complex' && typeof user === 'object' && user !== null) return accountOf(user, issuer);
  const account = named.format === 'iss_sub' && named.iss === issuer && typeof named.sub === 'string' ? parseStreamId(named.sub) : null;
  if (account === null) throw refusalProblem(signalWords, 'subject_unknown');
  // Whether there is such an account is not told: who asks could otherwise find out who has one (SSF 1.0 §9.2).
  return account as AccountId;
};

/** Status, subjects and verification of streams. @see OpenID Shared Signals Framework 1.0 §8.1.2 to §8.1.4 */
export const streamControl =
  (deps: Deps) =>
  (app: JsonApi): void => {
    const { route, passed } = receiverRoute(deps);
    const tags = ['Security events'];
    const apply = async (passage: SignalPassage, stream: OwnStream, command: EndpointChange): Promise<void> => {
      const { isDevelopment } = deps.config;
      const task = { platform: passage.names.platform, endpoint: stream.id, manager: passage.manager, command, isDevelopment };
      orThrow(signalWords, await changeEndpoint(deps.provisioning, passage.by, task));
    };

    app.get(
      '/:platform/ssf/status',
      {
        ...route('read'),
        schema: {
          tags,
          summary: 'Whether a stream is enabled',
          params: platformParams,
          querystring: oneStream,
          response: { 200: statusView },
        },
      },
      async (request) => statusOf(await loadStream(deps, passed(request), request.query.stream_id)),
    );
    app.post(
      '/:platform/ssf/status',
      {
        ...route('manage'),
        schema: {
          tags,
          summary: 'Enable, pause or disable a stream',
          params: platformParams,
          body: newStatus,
          response: { 200: statusView },
        },
      },
      async (request) => {
        const passage = passed(request);
        const stream = await loadStream(deps, passage, request.body.stream_id);
        for (const step of stepsTo(stream, request.body)) await apply(passage, stream, step);
        return statusOf(await loadStream(deps, passage, stream.id));
      },
    );

    for (const [url, type, code, summary] of [
      ['/:platform/ssf/subjects/add', 'addSubject', 200, 'Hear of a subject again. Every subject is heard of unless it was removed'],
      ['/:platform/ssf/subjects/remove', 'removeSubject', 204, 'Hear no more of a subject'],
    ] as const) {
      app.post(
        url,
        { ...route('manage'), schema: { tags, summary, params: platformParams, body: subjectBody, response: { [code]: Type.Null() } } },
        async (request, reply) => {
          const passage = passed(request);
          const stream = await loadStream(deps, passage, request.body.stream_id);
          await apply(passage, stream, { type, account: accountOf(request.body.subject, passage.issuer) });
          // An empty body, as the framework has it.
          return reply
            .code(code)
            .type('application/json')
            .serializer(() => '')
            .send(null);
        },
      );
    }

    app.post(
      '/:platform/ssf/verification',
      {
        ...route('manage'),
        schema: {
          tags,
          summary: 'Ask for a verification event, also to what is not verified: that it arrives verifies a URL. Ten a minute',
          params: platformParams,
          body: verificationBody,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        const passage = passed(request);
        const { stream_id: id, state } = request.body;
        const stream = await loadStream(deps, passage, id);
        await admitMessage(deps, { platform: passage.names.platform, endpoint: stream.id });
        await apply(passage, stream, { type: 'test', ...(state === undefined ? {} : { state }) });
        return reply.code(204).send(null);
      },
    );
  };
