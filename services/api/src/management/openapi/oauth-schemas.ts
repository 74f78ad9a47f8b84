import type { FastifySchema } from 'fastify';
import Type from 'typebox';
import { authorizationParameters } from '../../endpoints/authorize/check-request.ts';
import { deviceAuthorizationParameters } from '../../endpoints/device-authorization.ts';
import { tokenParameters } from '../../grants/token-request.ts';
import { error, form, isForm, refused, text, unavailable, withClient } from './oauth-parts.ts';
import { mcp, passedOn } from './resource-schemas.ts';
import { accessTokenValidation, basicValidation, introspection } from './validation-schemas.ts';

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
        verification_uri_complete: Type.Optional(
          Type.String({ format: 'uri', description: 'The same with nothing to type; not for agents that name no client' }),
        ),
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

const emptyBody = Type.Null({ description: 'Done, or nothing to do; there is no body' });

const revocation: FastifySchema = {
  ...isForm,
  body: form(['token', 'token_type_hint', ...withClient], ['token']),
  response: { 200: emptyBody, ...refused, ...unavailable },
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
