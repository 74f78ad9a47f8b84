import { PasswordsBusy } from '@grantlog/crypto';
import { LogUnavailable, RejectedByDatabase, UnknownPlatform } from '@grantlog/eventsourcing';
import { listPlatforms, type Pool } from '@grantlog/postgres';
import { OAuthError, oauthErrorBody, ProblemError, problem, problemMediaType } from '@grantlog/protocol';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { ForgedForm } from './browser.ts';
import { ExplainedError } from './explained-error.ts';
import { html } from './html.ts';
import { UnknownPlatformRequested } from './not-found.ts';
import { sendPage } from './page.ts';
import { type PathMethods, watchMethods } from './path-methods.ts';
import { PathNotOnPlatform } from './require-switch.ts';
import type { ErrorStyle } from './route-authentication.ts';

/** What a failed request is told, before its route's style words it. `reason` is for the log. */
type Failure = {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** What a person can do about it; only pages say so. */
  readonly waysOut?: readonly string[];
  readonly reason: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly defect?: boolean;
};

const retrySoon = { 'retry-after': '1' };

const unavailable = (reason: string): Failure => ({
  status: 503,
  code: 'temporarily_unavailable',
  title: 'Try again in a moment',
  detail: 'The server cannot answer just now; nothing was lost. Try again in a moment',
  reason,
  headers: retrySoon,
});

const wrongMethod = (methods: readonly string[]): Failure => ({
  status: 405,
  code: 'invalid_request',
  title: 'Method not allowed',
  detail: `This path takes ${methods.join(', ')}`,
  reason: 'no such method',
  headers: { allow: methods.join(', ') },
});

const toFailure = (error: FastifyError | Error): Failure => {
  if (error instanceof OAuthError) {
    const { status, code, description, reason, headers } = error;
    const again = code === 'temporarily_unavailable' ? retrySoon : {};
    const explained = error instanceof ExplainedError ? { title: error.title, waysOut: error.waysOut } : { title: description };
    return { status, code, ...explained, detail: description, reason, headers: { ...again, ...headers }, defect: status === 500 };
  }
  if (error instanceof LogUnavailable || error instanceof PasswordsBusy) return unavailable(error.message);
  if (error instanceof UnknownPlatform)
    return { status: 404, code: 'not_found', title: 'Not found', detail: 'No such platform', reason: error.message };
  if (error instanceof PathNotOnPlatform)
    return {
      status: 404,
      code: 'not_found',
      title: 'Not found',
      detail: 'This path does not exist on this platform',
      reason: error.message,
    };
  if (error instanceof ForgedForm) {
    return {
      status: 403,
      code: 'access_denied',
      title: 'This form cannot be used',
      detail: 'The form is out of date or was not opened in this browser. Go back to the app and begin again',
      reason: error.message,
    };
  }
  if (error instanceof RejectedByDatabase) {
    return {
      status: 400,
      code: 'invalid_request',
      title: 'Invalid request',
      detail: 'The request contains a value that cannot be stored',
      reason: error.message,
    };
  }
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  // The handler's time ran out, or the server is about to stop: Fastify's own errors.
  if (status === 503) return unavailable(error.message);
  if (status >= 400 && status < 500) {
    return { status, code: 'invalid_request', title: 'Invalid request', detail: error.message, reason: error.message };
  }
  return {
    status: 500,
    code: 'server_error',
    title: 'Something went wrong here',
    detail: 'The server failed; the operator can find the request by its id',
    reason: error.message,
    defect: true,
  };
};

const sendFailure = (request: FastifyRequest, reply: FastifyReply, failure: Failure, style: ErrorStyle): FastifyReply => {
  reply.code(failure.status).headers({ 'cache-control': 'no-store', ...failure.headers });
  switch (style) {
    case 'oauth':
      return reply.send(oauthErrorBody(new OAuthError(failure.code as never, { description: failure.detail })));
    case 'problem':
      return reply.type(problemMediaType).send(
        problem({
          status: failure.status,
          title: failure.title,
          detail: failure.detail,
          instance: request.id,
          members: { code: failure.code },
        }),
      );
    case 'page':
      return sendPage(reply, failure.status, {
        title: failure.title,
        branding: null,
        body: html`<h1>${failure.title}</h1><p>${failure.detail}</p>
${failure.waysOut === undefined ? null : html`<h2>What you can do</h2><ul>${failure.waysOut.map((way) => html`<li>${way}</li>`)}</ul>`}
<p>Request <code>${request.id}</code></p>`,
      });
  }
};

const told = new WeakMap<FastifyRequest, { readonly error: string; readonly detail: string }>();

/** What a request was refused with, as whoever sent it read it; null where it was not, by an error. */
export const refusalOf = (request: FastifyRequest): { readonly error: string; readonly detail: string } | null => told.get(request) ?? null;

/** Answers a path that the router cannot read, before there is a route: without the path, which anybody may have made up. */
export const answerUnreadablePath = (error: Pick<FastifyError, 'code'>, request: FastifyRequest, reply: FastifyReply): void => {
  request.log.info({ reason: error.code, error: 'invalid_request' }, 'refused');
  const detail = 'The path of this request cannot be read';
  void sendFailure(request, reply, { status: 400, code: 'invalid_request', title: 'Invalid request', detail, reason: error.code }, 'oauth');
};

const sendUnknownPlatform = async (
  deps: Deps & { readonly pool: Pool },
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
): Promise<FastifyReply> => {
  // Which platforms exist is told in development only: elsewhere the list of tenants is nobody's business.
  const known = deps.config.isDevelopment ? await listPlatforms(deps.pool) : null;
  request.log.info({ platform: name }, 'unknown platform');
  return reply
    .code(404)
    .header('cache-control', 'no-store')
    .send({
      error: 'not_found',
      error_description: 'No such platform',
      ...(known === null ? {} : { platforms: known.map((platform) => `${deps.config.publicUrl}/${platform}`) }),
    });
};

/**
 * Every error of every route: refusals as they are, everything else a 5xx, logged with its cause and never worded by it.
 *
 * @returns what tells the methods of a path, for whoever takes paths that no route has.
 */
export const answerErrors = (app: FastifyInstance, deps: Deps & { readonly pool: Pool }): ((path: string) => PathMethods | null) => {
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    if (error instanceof UnknownPlatformRequested) return sendUnknownPlatform(deps, request, reply, error.platform);
    if (error instanceof ProblemError) {
      request.log.info({ reason: error.reason }, 'refused');
      return reply.code(error.problem.status).headers(error.headers).type(problemMediaType).send(error.problem);
    }
    const failure = toFailure(error);
    told.set(request, { error: failure.code, detail: failure.detail });
    if (failure.defect === true) request.log.error({ err: error }, 'request failed');
    else request.log.info({ reason: failure.reason, error: failure.code }, 'refused');
    return sendFailure(request, reply, failure, request.routeOptions.config.errors ?? 'oauth');
  });
  const methodsOf = watchMethods(app);
  app.setNotFoundHandler((request, reply) => {
    const known = methodsOf(request.url.split('?', 1)[0] ?? '');
    // The path has this very method: the router refused a segment, which no id of ours could be.
    if (known?.methods.includes(request.method) === true) return answerUnreadablePath({ code: 'FST_ERR_MAX_PARAM_LENGTH' }, request, reply);
    if (known !== null) {
      request.log.info({ method: request.method }, 'no such method');
      return sendFailure(request, reply, wrongMethod(known.methods), known.errors);
    }
    request.log.info('no such path');
    return reply
      .code(404)
      .headers({ 'cache-control': 'no-store' })
      .send({ error: 'not_found', error_description: 'No such path. GET / lists what is here' });
  });
  return methodsOf;
};
