import type { AccountId, GrantId } from '@grantlog/domain';
import { parseStreamId } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { OAuthError, readParameters } from '@grantlog/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ContextRefusal, selectContext } from '../contexts/select-context.ts';
import type { Deps } from '../deps.ts';
import { csrfToken, ensureBrowserId } from '../http/browser.ts';
import { sendPage } from '../http/page.ts';
import { platformStreams } from '../platforms/load-parties.ts';
import { listConnections } from './connections-list.ts';
import { type ConnectionsNotice, connectionsPage } from './connections-page.ts';
import { endConnection } from './end-connection.ts';
import { type PagePlace, pagePlace, readOwnForm } from './own-form.ts';
import { signInPage } from './sign-in-page.ts';
import { readSignInCookie, type SignedIn, signedInOf } from './signed-in.ts';

const statusOf = {
  ended: 200,
  behind: 200,
  unknown: 404,
  context_changed: 200,
  context_unknown: 404,
  context_kept: 409,
} as const satisfies Record<ConnectionsNotice, number>;

const noticeOf = {
  unknown_grant: 'unknown',
  grant_over: 'unknown',
  unknown_context: 'context_unknown',
  context_pinned: 'context_kept',
  not_redeemed: 'context_kept',
} as const satisfies Record<ContextRefusal, ConnectionsNotice>;

type At = PagePlace & { readonly browserId: string };

/** A position of the log as a link of ours has it. */
const positionOf = (text: string | undefined, name: string): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new OAuthError('invalid_request', { description: `${name} is a position of the log` });
  return Number(text);
};

/** The account's page of what is connected to it, and where a connection is ended. Nobody else sees more than the sign-in form. */
export const connectionPages =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const config = { authentication: 'browser', errors: 'page' } as const;

    const enter = async (request: FastifyRequest, { names }: PagePlace): Promise<SignedIn | null> => {
      const { platform } = names;
      const id = readSignInCookie(deps, request, platform);
      if (id === null) return null;
      const loaded: Loaded = await deps.log.load(platform, [...platformStreams, { streamId: id, follow: true, withSecrets: true }]);
      return signedInOf(deps, loaded, id, platform);
    };
    const askToSignIn = (reply: FastifyReply, status: number, { document, path, names, browserId }: At): FastifyReply => {
      const csrf = csrfToken(deps, names.platform, browserId);
      const view = { document, path, csrf, sealed: null, back: 'connections', clientName: null, failed: false } as const;
      return sendPage(reply, status, signInPage(view));
    };
    const show = async (
      reply: FastifyReply,
      { document, path, names, browserId }: At,
      shown: {
        readonly signedIn: SignedIn;
        readonly notice: ConnectionsNotice | null;
        readonly before?: number | undefined;
        readonly minPosition?: number | undefined;
      },
    ): Promise<FastifyReply> => {
      const { signedIn, notice, before, minPosition } = shown;
      const { connections, next, current } = await listConnections(deps, names, { account: signedIn.account, before, minPosition });
      const csrf = csrfToken(deps, names.platform, browserId);
      const said = notice ?? (current ? null : 'behind');
      const view = { document, path, csrf, email: signedIn.email, connections, next, notice: said };
      return sendPage(reply, notice === null ? 200 : statusOf[notice], connectionsPage(view));
    };

    app.get('/:platform/connections', { config }, async (request, reply): Promise<FastifyReply> => {
      const asked = readParameters(request.query, ['before', 'after']);
      const [before, minPosition] = [positionOf(asked.get('before'), 'before'), positionOf(asked.get('after'), 'after')];
      const place = await pagePlace(deps, request);
      const at = { ...place, browserId: ensureBrowserId(deps, request, reply, place.names.platform) };
      const signedIn = await enter(request, place);
      return signedIn === null ? askToSignIn(reply, 200, at) : show(reply, at, { signedIn, notice: null, before, minPosition });
    });

    app.post('/:platform/connections', { config }, async (request, reply): Promise<FastifyReply> => {
      const { sent, ...at } = await readOwnForm(deps, request, ['grant']);
      const signedIn = await enter(request, at);
      if (signedIn === null) return askToSignIn(reply, 401, at);
      const { platform } = at.names;
      const { account } = signedIn;
      const ended = await endConnection(deps, { platform, account, grant: sent.get('grant') ?? '', correlationId: request.traceparent });
      return show(reply, at, {
        signedIn,
        notice: ended.outcome,
        minPosition: ended.outcome === 'ended' ? (ended.position ?? undefined) : undefined,
      });
    });

    app.post('/:platform/connections/context', { config }, async (request, reply): Promise<FastifyReply> => {
      const { sent, ...at } = await readOwnForm(deps, request, ['grant', 'context']);
      const signedIn = await enter(request, at);
      if (signedIn === null) return askToSignIn(reply, 401, at);
      const { account } = signedIn;
      const notice = await changeContext(deps, {
        platform: at.names.platform,
        account,
        grant: sent.get('grant') ?? '',
        context: sent.get('context') ?? '',
        correlationId: request.traceparent,
      });
      return show(reply, at, { signedIn, notice });
    });
  };

/** Changes what a connection is for by its owner's hand, and says what came of it. */
const changeContext = async (
  deps: Deps,
  task: {
    readonly platform: PlatformId;
    readonly account: AccountId;
    readonly grant: string;
    readonly context: string;
    readonly correlationId: string;
  },
): Promise<ConnectionsNotice> => {
  const { platform, account, context, correlationId } = task;
  const grant = parseStreamId(task.grant) as GrantId | null;
  if (grant === null) return 'unknown';
  const selected = await selectContext(
    deps,
    { actor: { kind: 'account', id: account }, correlationId },
    { platform, grant, account, context },
  );
  return selected.outcome === 'selected' ? 'context_changed' : noticeOf[selected.refusal];
};
