import { deviceCodeGrant } from '@grantlog/domain';
import type { FastifySchema } from 'fastify';
import Type, { type TProperties, type TSchema } from 'typebox';
import { authorizationParameters } from '../../endpoints/authorize/check-request.ts';
import { deviceAuthorizationParameters } from '../../endpoints/device-authorization.ts';
import { tokenParameters } from '../../grants/token-request.ts';

const text = (description: string): TSchema => Type.String({ description });
const resources = Type.Array(Type.String({ format: 'uri' }), { description: 'May repeat (RFC 8707): what the tokens are for' });

/** What each parameter is; the endpoints' own lists say who takes which, so that none is described that is not read. */
const parameters: Readonly<Record<string, TSchema>> = {
  access_token: text('Of the person'),
  client_address: text('The IP address of who typed them, by which guesses are throttled'),
  client_id: text('Where no Authorization header names the client'),
  client_secret: text('client_secret_post; the Authorization header is better'),
  code: text('With authorization_code: good once, for ten minutes at most'),
  code_challenge: text('PKCE (RFC 7636): required of public clients, and wherever the platform says so'),
  code_challenge_method: Type.Enum(['S256']),
  code_verifier: text('Where the request before had a code_challenge'),
  device_code: text('With the device grant: asked with until somebody has decided, good once'),
  grant_type: Type.Enum(['authorization_code', 'refresh_token', 'client_credentials', deviceCodeGrant]),
  id_token_hint: text('Who should be signed in (OpenID Connect Core §3.1.2.1)'),
  max_age: Type.String({ pattern: '^\\d+$', description: 'Seconds since the person signed in; more asks for the password again' }),
  nonce: text('Comes back in the ID token'),
  password: text('As it was typed'),
  prompt: Type.String({ description: 'login, consent, select_account or none' }),
  redirect_uri: Type.String({ format: 'uri', description: 'Exactly as registered; at the token endpoint exactly as it was sent before' }),
  refresh_token: text('With refresh_token: spent by its use'),
  request: text('Refused with request_not_supported'),
  request_uri: text('Refused with request_uri_not_supported'),
  resource: resources,
  response_mode: Type.Enum(['query']),
  response_type: Type.Enum(['code']),
  scope: text('Scopes of the platform, parted by spaces; with refresh_token a subset of those granted'),
  state: text('Comes back as it is, on success and error'),
  token: text('An access or refresh token'),
  token_type_hint: Type.Enum(['access_token', 'refresh_token']),
  username: text('The email of the account'),
};

const form = (names: readonly string[], required: readonly string[], instead: TProperties = {}): TSchema => {
  const described = names.map((name): [string, TSchema] => {
    const schema = instead[name] ?? parameters[name];
    if (schema === undefined) throw new Error(`nobody described the parameter ${name}`);
    return [name, required.includes(name) ? schema : Type.Optional(schema)];
  });
  return Type.Object(Object.fromEntries(described));
};

const error = (description: string): TSchema =>
  Type.Object({ error: Type.String(), error_description: Type.Optional(Type.String()) }, { description });

const refused = { 400: error('Refused (RFC 6749 §5.2)'), 401: error('The client is unknown, or did not prove itself') };
const unavailable = { 503: error('Nothing could be recorded or found out: ask again later') };
const emptyBody = Type.Null({ description: 'Done, or nothing to do; there is no body' });

const isForm = { consumes: ['application/x-www-form-urlencoded'] } as const;
const withClient = ['client_id', 'client_secret'] as const;

const token: FastifySchema = {
  ...isForm,
  body: form(tokenParameters, ['grant_type']),
  response: {
    200: Type.Object(
      {
        access_token: Type.String(),
        token_type: Type.Enum(['Bearer']),
        expires_in: Type.Integer({ description: 'Seconds' }),
        scope: Type.String({ description: 'What was granted' }),
        refresh_token: Type.Optional(Type.String()),
        id_token: Type.Optional(Type.String({ description: 'With the scope openid' })),
      },
      { description: 'The tokens (RFC 6749 §5.1)' },
    ),
    ...refused,
    ...unavailable,
  },
};

const deviceAuthorization: FastifySchema = {
  ...isForm,
  body: form(deviceAuthorizationParameters, [], { code_challenge: text('PKCE (RFC 7636), where the device is to show its verifier') }),
  response: {
    200: Type.Object(
      {
        device_code: Type.String({ description: 'A secret: what the token endpoint is polled with' }),
        user_code: Type.String({ description: 'For the person to type' }),
        verification_uri: Type.String({ format: 'uri', description: 'Where to type it' }),
        verification_uri_complete: Type.String({ format: 'uri', description: 'The same with nothing to type' }),
        expires_in: Type.Integer({ description: 'Seconds' }),
        interval: Type.Integer({ description: 'Least seconds between two polls' }),
      },
      { description: 'What has begun (RFC 8628 §3.2)' },
    ),
    ...refused,
    404: error('This platform has no device grant'),
    429: error('Too many were begun from this address; Retry-After says when'),
    ...unavailable,
  },
};

const revocation: FastifySchema = {
  ...isForm,
  body: form(['token', 'token_type_hint', ...withClient], ['token']),
  response: { 200: emptyBody, ...refused, ...unavailable },
};

const claims = {
  iss: Type.String({ format: 'uri' }),
  client_id: Type.String(),
  sub: Type.String({ description: 'The account, or the client where it acts for itself' }),
  scope: Type.String(),
  exp: Type.Integer(),
  token_type: Type.Optional(Type.Enum(['Bearer'], { description: 'Of an access token' })),
  jti: Type.Optional(Type.String()),
  iat: Type.Optional(Type.Integer()),
  aud: Type.Optional(Type.String({ format: 'uri' })),
  context: Type.Optional(Type.String()),
  grant_id: Type.String(),
};

const introspection: FastifySchema = {
  ...isForm,
  body: form(['token', 'token_type_hint', ...withClient], ['token']),
  response: {
    200: Type.Union(
      [
        Type.Object({
          active: Type.Literal(true),
          ...claims,
          roles: Type.Optional(Type.Array(Type.String(), { description: 'Of the account, told to who serves the resource' })),
        }),
        Type.Object({ active: Type.Literal(false) }),
      ],
      { description: 'What the token is good for (RFC 7662 §2.2), or nothing but that it is not' },
    ),
    ...refused,
    ...unavailable,
  },
};

const basicValidation: FastifySchema = {
  ...isForm,
  body: form(
    ['username', 'password', 'resource', 'client_address', ...withClient],
    ['username', 'password', 'resource', 'client_address'],
    {
      resource: Type.String({ format: 'uri', description: 'Exactly one, which the client serves' }),
    },
  ),
  response: {
    200: Type.Union(
      [
        Type.Object({
          active: Type.Literal(true),
          iss: Type.String({ format: 'uri' }),
          sub: Type.String(),
          aud: Type.String({ format: 'uri' }),
          roles: Type.Array(Type.String()),
          account_kind: Type.Enum(['person', 'integration']),
          notice: Type.Object({
            message: Type.String(),
            sunset: Type.Integer({ description: 'Unix seconds: when HTTP Basic ends for this account' }),
            limit: Type.Integer({ description: 'Requests a day' }),
            remaining: Type.Integer({ description: 'Of today' }),
            reset: Type.Integer({ description: 'Seconds until the day ends' }),
            documentation: Type.Optional(Type.String({ format: 'uri' })),
          }),
        }),
        Type.Object({
          active: Type.Literal(false),
          reason: Type.Enum([
            'invalid_credentials',
            'second_factor_enabled',
            'second_factor_required',
            'exploration_ended',
            'daily_limit_reached',
            'too_many_attempts',
            'account_unusable',
          ]),
          description: Type.String(),
          retry_after: Type.Optional(Type.Integer({ description: 'Seconds' })),
          documentation: Type.Optional(Type.String({ format: 'uri' })),
        }),
      ],
      { description: 'Who it is, or why not' },
    ),
    ...refused,
    404: error('This platform takes no HTTP Basic'),
    ...unavailable,
  },
};

const accessTokenValidation: FastifySchema = {
  querystring: Type.Object({ token: Type.String({ description: 'Redacted in our logs, and nowhere on the way: prefer introspection' }) }),
  response: {
    200: Type.Object(claims, { description: 'The token is good; nothing of it names a person' }),
    400: error('The token is missing, or is not good'),
    404: error('This platform has no connect paths'),
    429: error('Too many questions from this address; Retry-After says when'),
  },
};

const userinfo: FastifySchema = {
  response: {
    200: Type.Object(
      {
        sub: Type.String(),
        name: Type.Optional(Type.String({ description: 'With the scope profile' })),
        email: Type.Optional(Type.String({ description: 'With the scope email' })),
        email_verified: Type.Optional(Type.Boolean()),
      },
      { description: 'Who stands behind the token (OpenID Connect Core §5.3.2)' },
    ),
    401: error('The token is missing or not good; the challenge says which'),
    403: error('The token lacks the scope openid'),
  },
};

const page = (description: string) => ({ description, content: { 'text/html': { schema: Type.String() } } });
const authorizationAnswers = {
  200: page('The page where the person signs in or decides'),
  303: Type.Null({ description: 'Back to the redirect URI, with code, state and iss, or with error, state and iss' }),
  400: page('Client or redirect URI cannot be trusted, so the person is told and not sent anywhere'),
};
const asked = form(authorizationParameters, ['client_id', 'response_type']);
const authorizationByGet: FastifySchema = { querystring: asked, response: authorizationAnswers };
const authorizationByPost: FastifySchema = { ...isForm, body: asked, response: authorizationAnswers };

/** Bodies pass in both directions as they are, so nothing can be said of them. */
const passedOn: FastifySchema = {
  response: {
    default: { description: 'What the resource answers, refusals of its own included', content: { '*/*': { schema: Type.Unknown() } } },
    400: error('The path could be read in two ways, or there are two Authorization headers'),
    403: error('A page of another origin sent the HTTP Basic credentials that a browser remembers'),
    404: error('No resource of the platform lies here'),
    413: error('The body has more than 1 MiB'),
    502: error('The resource does not answer, or its certificate is not trusted'),
    503: error('The platform is suspended'),
    504: error('The resource takes too long to answer'),
  },
};

const rpc = (description: string) => ({
  description,
  content: {
    'application/json': {
      schema: Type.Object({
        jsonrpc: Type.Literal('2.0'),
        id: Type.Union([Type.String(), Type.Integer(), Type.Null()]),
        result: Type.Optional(Type.Object({})),
        error: Type.Optional(Type.Object({ code: Type.Integer(), message: Type.String(), data: Type.Optional(Type.Object({})) })),
      }),
    },
  },
});

const mcp: FastifySchema = {
  body: Type.Object({
    jsonrpc: Type.Literal('2.0'),
    id: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
    method: Type.String({
      description: 'As the Model Context Protocol has it: initialize, server/discover, tools/list, tools/call and others',
    }),
    params: Type.Optional(Type.Object({})),
  }),
  response: {
    200: rpc('The one answer; clients of before 2026-07-28 read it as the only event of a stream'),
    202: Type.Null({ description: 'The notification was taken' }),
    400: rpc('No JSON-RPC message, more than one, or a protocol version that is not spoken here'),
    401: rpc('The tool needs an access token for this server; the challenge names the metadata of the resource'),
    403: rpc('A page of this origin may not use the server'),
    404: error('The platform has no MCP server, or the server has no such method'),
    406: rpc('Clients of before 2026-07-28 accept application/json and text/event-stream'),
    413: rpc('The message has more than 65,536 bytes'),
    415: rpc('The body is not application/json'),
    503: error('The platform is suspended, or nothing can be read just now'),
  },
};

/**
 * What the OAuth endpoints and the resources behind us take and give, for the description alone: they read their parameters themselves, because OAuth says
 * how each fault is worded, and a schema of the router would word it otherwise. By method and path as the routes spell them.
 */
export const oauthSchemas: Readonly<Record<string, FastifySchema>> = {
  'GET /:platform/oauth/authorize': authorizationByGet,
  'POST /:platform/oauth/authorize': authorizationByPost,
  'GET /:platform/oauth/connect/authorize': authorizationByGet,
  'POST /:platform/oauth/connect/authorize': authorizationByPost,
  'POST /:platform/oauth/token': token,
  'POST /:platform/oauth/connect/token': token,
  'POST /:platform/oauth/device_authorization': deviceAuthorization,
  'POST /:platform/oauth/revoke': revocation,
  'POST /:platform/oauth/connect/revocation': revocation,
  'POST /:platform/oauth/introspect': introspection,
  'POST /:platform/oauth/basicvalidation': basicValidation,
  'GET /:platform/oauth/connect/accesstokenvalidation': accessTokenValidation,
  'GET /:platform/oauth/userinfo': userinfo,
  'POST /:platform/oauth/userinfo': userinfo,
  'POST /:platform/mcp': mcp,
  'GET /:platform/*': passedOn,
  'POST /:platform/*': passedOn,
  'PUT /:platform/*': passedOn,
  'PATCH /:platform/*': passedOn,
  'DELETE /:platform/*': passedOn,
};
