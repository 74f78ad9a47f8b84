import type { FastifySchema } from 'fastify';
import Type from 'typebox';
import { error, form, isForm, refused, unavailable, withClient } from './oauth-parts.ts';

const claims = {
  iss: Type.String({ format: 'uri' }),
  client_id: Type.String(),
  sub: Type.String({ description: 'The account, or the client where it acts for itself' }),
  scope: Type.String(),
  exp: Type.Integer(),
  token_type: Type.Optional(Type.Enum(['Bearer', 'DPoP'], { description: 'Of an access token' })),
  cnf: Type.Optional(
    Type.Object({ jkt: Type.String() }, { description: 'Thumbprint of the key whose proof it has to come with (RFC 9449 §6.2)' }),
  ),
  jti: Type.Optional(Type.String()),
  iat: Type.Optional(Type.Integer()),
  aud: Type.Optional(Type.String({ format: 'uri' })),
  context: Type.Optional(Type.String({ description: "Which of the account's objects it is for" })),
  grant_id: Type.String(),
};

const ofContext = Type.Object({ id: Type.String(), name: Type.String({ description: 'As its owner calls it: personal data' }) });

/** Where the resource server of a token changes what its grant is for. */
export const contextSelection: FastifySchema = {
  ...isForm,
  body: form(['token', 'context', ...withClient], ['token', 'context'], {
    token: Type.String({ description: 'A live access token for a resource that the client serves' }),
  }),
  response: {
    200: Type.Object(
      {
        context: Type.String(),
        previous_context: Type.Union([Type.String(), Type.Null()], { description: 'Null where there was none' }),
      },
      { description: 'The grant is for this one now, with all its tokens' },
    ),
    ...refused,
    404: error('The account has no context of this id (unknown_context), or grants of the platform have none'),
    409: error('The app asked for the very one that the grant is for (context_pinned)'),
    ...unavailable,
  },
};

/** RFC 7662. */
export const introspection: FastifySchema = {
  ...isForm,
  body: form(['token', 'token_type_hint', ...withClient], ['token']),
  response: {
    200: Type.Union(
      [
        Type.Object({
          active: Type.Literal(true),
          ...claims,
          roles: Type.Optional(Type.Array(Type.String(), { description: 'Of the account, told to who serves the resource' })),
          contexts: Type.Optional(
            Type.Array(ofContext, { description: 'What the context may be changed to, told to who serves the resource' }),
          ),
        }),
        Type.Object({ active: Type.Literal(false) }),
      ],
      { description: 'What the token is good for (RFC 7662 §2.2), or nothing but that it is not' },
    ),
    ...refused,
    ...unavailable,
  },
};

/** Whether the HTTP Basic credentials that a resource was shown are good. */
export const basicValidation: FastifySchema = {
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

/** The question of before introspection, which shows the token in its URL. */
export const accessTokenValidation: FastifySchema = {
  querystring: Type.Object({ token: Type.String({ description: 'Redacted in our logs, and nowhere on the way: prefer introspection' }) }),
  response: {
    200: Type.Object(claims, { description: 'The token is good; nothing of it names a person' }),
    400: error('The token is missing, or is not good'),
    404: error('This platform has no connect paths'),
    429: error('Too many questions from this address; Retry-After says when'),
  },
};
