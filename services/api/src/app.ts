import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import { randomUuid } from '@grantlog/crypto';
import type { Pool } from '@grantlog/postgres';
import { longestClientId } from '@grantlog/protocol';
import type { FastifyBaseLogger, FastifyInstance, RouteOptions } from 'fastify';
import fastify, { LogController } from 'fastify';
import { accountApi } from './account/account-api.ts';
import { auditApi } from './audit/audit-api.ts';
import type { Deps } from './deps.ts';
import { developerApi } from './developer/developer-api.ts';
import { documentationPages } from './documentation/documentation-pages.ts';
import { accessTokenValidationEndpoint } from './endpoints/access-token-validation.ts';
import { authorizationEndpoint } from './endpoints/authorize/authorize.ts';
import { basicValidationEndpoint } from './endpoints/basic-validation.ts';
import { contextEndpoint } from './endpoints/context.ts';
import { deviceAuthorizationEndpoint } from './endpoints/device-authorization.ts';
import { endSessionEndpoint } from './endpoints/end-session.ts';
import { frontPage } from './endpoints/front-page.ts';
import { introspectionEndpoint } from './endpoints/introspect.ts';
import { jwksEndpoint } from './endpoints/jwks.ts';
import { mailboxEndpoint } from './endpoints/mailbox.ts';
import { metadataEndpoints } from './endpoints/metadata.ts';
import { platformPage } from './endpoints/platform-page.ts';
import { pushedAuthorizationEndpoint } from './endpoints/pushed-authorization.ts';
import { registrationEndpoints } from './endpoints/register.ts';
import { revocationEndpoint } from './endpoints/revoke.ts';
import { tokenEndpoint } from './endpoints/token.ts';
import { userinfoEndpoint } from './endpoints/userinfo.ts';
import { eventEndpoint } from './events/event-endpoint.ts';
import { type StreamTimes, streamTimes } from './events/event-stream.ts';
import { openRoutesToBrowsers } from './http/cors.ts';
import { requireDeclarations } from './http/declared-routes.ts';
import { answerErrors, answerUnreadablePath } from './http/error-response.ts';
import { loggedForeignUrl, loggedUrl } from './http/logged-url.ts';
import { boundRequests } from './http/rate-limit.ts';
import { giveTraceparents, logTraces, trustedPeers } from './http/request-trace.ts';
import { everywhere, onlyWith } from './http/require-switch.ts';
import { managementApi } from './management/management-api.ts';
import { openApi } from './management/openapi/openapi.ts';
import { cardEndpoints } from './mcp/card-endpoints.ts';
import { mcpEndpoint } from './mcp/mcp-endpoint.ts';
import { connectPages } from './pages/connect.ts';
import { connectionPages } from './pages/connections.ts';
import { consentForm } from './pages/consent.ts';
import { devicePages } from './pages/device.ts';
import { secondStepForms } from './pages/second-step.ts';
import { securityPages } from './pages/security.ts';
import { signInPages } from './pages/sign-in.ts';
import { signOutForm } from './pages/sign-out.ts';
import { signUpPages } from './pages/sign-up.ts';
import { restApi } from './rest/rest-api.ts';
import { signalApi } from './signals/signal-api.ts';
import { traceRoutes } from './traces/traced-routes.ts';
import { upstreamProxy } from './upstream/upstream-proxy.ts';
import { endpointKeys } from './webhooks/endpoint-keys.ts';
import { eventTypeEndpoints } from './webhooks/event-types.ts';
import { ownEndpoints } from './webhooks/own-endpoints.ts';

/** One answered request, by its route's pattern: no tenant and no value of the URL is in it. */
export type Answered = { readonly endpoint: string; readonly method: string; readonly status: number; readonly seconds: number };

/**
 * The whole HTTP surface, without a port: reading it is reading what the server answers to.
 *
 * @param deps.onRoute told of every route there is, those of every plugin included.
 * @param deps.onAnswered told of every answer, for metrics.
 * @param deps.upstreamPatience milliseconds that a resource behind us has to begin its answer; default 25,000.
 * @param deps.streamTimes of streams of events, where they are to be others.
 * @throws RouteUndeclared
 */
export const createApp = async (
  deps: Deps & {
    readonly pool: Pool;
    readonly logger: FastifyBaseLogger;
    readonly onRoute?: (route: RouteOptions) => void;
    readonly onAnswered?: (answer: Answered) => void;
    readonly upstreamPatience?: number;
    readonly streamTimes?: Partial<StreamTimes>;
  },
): Promise<FastifyInstance> => {
  const { config } = deps;
  const isTrusted = trustedPeers(config.trustProxy);
  const app = fastify({
    loggerInstance: deps.logger,
    logController: new LogController({ disableRequestLogging: true }),
    // The end of the correlation id of every event that the request causes; ours, so that nobody can choose it.
    genReqId: () => randomUuid(),
    childLoggerFactory: logTraces(isTrusted),
    trustProxy: config.trustProxy.length === 0 ? false : isTrusted,
    rewriteUrl: (request) => deps.hosts.rewrite(request),
    frameworkErrors: answerUnreadablePath,
    bodyLimit: 65_536,
    // Fastify's own defaults are no limits at all.
    connectionTimeout: 30_000,
    requestTimeout: 30_000,
    handlerTimeout: 25_000,
    keepAliveTimeout: 72_000,
    // A client_id may be a URL, and names its client in a path, too.
    routerOptions: { ignoreTrailingSlash: false, caseSensitive: true, maxParamLength: longestClientId },
  });
  requireDeclarations(app);
  giveTraceparents(app, isTrusted);
  if (deps.onRoute !== undefined) app.addHook('onRoute', deps.onRoute);
  await app.register(formbody, { bodyLimit: 65_536 });
  await app.register(cookie);
  const methodsOf = answerErrors(app, deps);
  openRoutesToBrowsers(app);
  await boundRequests(app);
  traceRoutes(app, deps);
  app.addHook('onResponse', async (request, reply) => {
    const shown = request.routeOptions.config.authentication === 'upstream' ? loggedForeignUrl : loggedUrl;
    request.log.info(
      { method: request.method, url: shown(request.url), status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      'answered',
    );
    deps.onAnswered?.({
      endpoint: request.routeOptions.url ?? 'none',
      method: request.method,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
  });

  await openApi(deps)(app);
  frontPage(deps)(app);
  mailboxEndpoint(deps)(app);
  documentationPages(deps)(app);
  platformPage(deps)(app);
  metadataEndpoints(deps)(app);
  jwksEndpoint(deps)(app);
  cardEndpoints(deps)(app);
  eventTypeEndpoints(deps)(app);
  await eventEndpoint({ ...deps, streamTimes: { ...streamTimes, ...deps.streamTimes } })(app);
  endpointKeys(deps)(app);
  authorizationEndpoint(deps, [everywhere('/:platform/oauth/authorize'), onlyWith('connectPaths', '/:platform/oauth/connect/authorize')])(
    app,
  );
  pushedAuthorizationEndpoint(deps)(app);
  signInPages(deps)(app);
  signUpPages(deps)(app);
  secondStepForms(deps)(app);
  signOutForm(deps)(app);
  endSessionEndpoint(deps)(app);
  securityPages(deps)(app);
  consentForm(deps)(app);
  connectPages(deps)(app);
  devicePages(deps)(app);
  connectionPages(deps)(app);
  tokenEndpoint(deps, [everywhere('/:platform/oauth/token'), onlyWith('connectPaths', '/:platform/oauth/connect/token')])(app);
  deviceAuthorizationEndpoint(deps)(app);
  registrationEndpoints(deps)(app);
  revocationEndpoint(deps, [everywhere('/:platform/oauth/revoke'), onlyWith('connectPaths', '/:platform/oauth/connect/revocation')])(app);
  introspectionEndpoint(deps)(app);
  contextEndpoint(deps)(app);
  accessTokenValidationEndpoint(deps)(app);
  basicValidationEndpoint(deps)(app);
  userinfoEndpoint(deps)(app);
  await mcpEndpoint(deps)(app);
  await restApi(deps)(app);
  await ownEndpoints(deps)(app);
  await signalApi(deps)(app);
  await accountApi(deps)(app);
  await managementApi(deps)(app);
  await auditApi(deps)(app);
  await developerApi(deps)(app);
  await upstreamProxy({ ...deps, methodsOf })(app);
  return app;
};
