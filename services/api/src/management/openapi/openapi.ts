import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import type { Deps } from '../../deps.ts';
import type { RouteAuthentication } from '../../http/route-authentication.ts';
import { oauthSchemas } from './oauth-schemas.ts';
import { problem } from './problem.ts';
import { routeSummaries } from './route-summaries.ts';
import { webhooks } from './webhooks.ts';

type Requirement = { readonly [scheme: string]: readonly string[] };

/** How each kind of caller proves itself, as OpenAPI can say it. An empty requirement: without a header, too. */
const security = {
  none: [],
  // client_secret_post and none have no word in OpenAPI: they are parameters of the form.
  client: [{ client: [] }, {}],
  bearer: [{ bearer: [] }],
  token: [],
  browser: [{ browser: [] }, {}],
  account: [{ bearer: [] }, { basic: [] }],
  tool: [{ bearer: [] }, {}],
  agent: [{ bearer: [] }, {}],
  upstream: [{ bearer: [] }, { basic: [] }],
  reader: [{ bearer: [] }, { operator: ['manage'] }],
  operator: [{ operator: ['manage'] }],
  auditor: [{ operator: ['audit'] }],
} as const satisfies Record<RouteAuthentication, readonly Requirement[]>;

/** What a status says of an answer that does not describe itself. */
const outcomes: Readonly<Record<string, string>> = {
  200: 'Done; the answer says how it stands now',
  201: 'Made',
  202: 'Accepted',
  204: 'Done',
};

const withDescriptions = (response: unknown): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    // The routes' own maps of schemas by status.
    Object.entries(response as Readonly<Record<string, object>>).map(([status, schema]) => [
      status,
      'description' in schema ? schema : { ...schema, 'x-response-description': outcomes[status] ?? 'The answer' },
    ]),
  );

const operationId = (method: string, url: string): string =>
  method.toLowerCase() +
  url
    .replace(/\*$/, 'rest')
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');

const describe = (route: {
  readonly method: string | readonly string[];
  readonly url: string;
  readonly schema: FastifySchema | undefined;
  readonly authentication: RouteAuthentication | undefined;
}): FastifySchema => {
  const method = typeof route.method === 'string' ? route.method : (route.method[0] ?? 'GET');
  if (method === 'OPTIONS') return { hide: true };
  const name = `${method} ${route.url}`;
  const known = routeSummaries[name];
  const oauth = oauthSchemas[name];
  const { response, ...schema } = route.schema ?? {};
  return {
    operationId: operationId(method, route.url === '/' ? 'root' : route.url),
    ...(known === undefined ? {} : { summary: known.summary, tags: [known.tag] }),
    ...oauth,
    ...schema,
    ...(route.authentication === undefined ? {} : { security: security[route.authentication] }),
    ...(response === undefined ? {} : { response: { ...withDescriptions(response), default: problem } }),
  };
};

/** Describes every route that is registered after it, and serves the description: OpenAPI 3.1. */
export const openApi =
  ({ config }: Pick<Deps, 'config'>) =>
  async (app: FastifyInstance): Promise<void> => {
    const system = `${config.publicUrl}/system/oauth`;
    const scopes = { manage: 'Manage platforms, as far as your roles allow' };
    const options: FastifyDynamicSwaggerOptions = {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Grantlog',
          version: '0.1.0',
          description: 'An event-sourced OAuth 2.1 / OpenID Connect authorization server for AI agents, and its management API',
        },
        servers: [{ url: config.publicUrl }],
        // The types of OpenAPI know their own dialect alone; 3.1 takes any schema of JSON Schema 2020-12.
        webhooks: webhooks as never,
        components: {
          securitySchemes: {
            operator: {
              type: 'oauth2',
              description: 'An access token of the system platform, with a role for the platform addressed',
              flows: {
                clientCredentials: { tokenUrl: `${system}/token`, scopes },
                authorizationCode: { authorizationUrl: `${system}/authorize`, tokenUrl: `${system}/token`, scopes },
              },
            },
            client: {
              type: 'http',
              scheme: 'basic',
              description: 'client_secret_basic; client_secret_post, private_key_jwt and public clients use the form',
            },
            basic: {
              type: 'http',
              scheme: 'basic',
              description: "An account's own email and password, where the platform allows it for exploration",
            },
            bearer: {
              type: 'http',
              scheme: 'bearer',
              description: 'An access token of the platform; with the scheme DPoP where it is bound to a key',
            },
            webhook: { type: 'http', scheme: 'bearer', description: 'The webhookToken that an agent gave, in what its webhook is sent' },
            browser: { type: 'apiKey', in: 'cookie', name: 'grantlog-{platform}-sign-in', description: 'The sign-in of a person' },
          },
        },
      },
      transform: ({ schema, url, route }) => ({
        url,
        schema: describe({ method: route.method, url, schema, authentication: route.config?.authentication }),
      }),
    };
    await app.register(swagger, options);
    app.get('/openapi.json', { config: { authentication: 'none', errors: 'problem', openToBrowsers: true } }, async (_request, reply) =>
      reply.header('cache-control', 'public, max-age=300').send(app.swagger()),
    );
  };
