import { clientParameters } from '@grantlog/protocol';
import type { FastifySchema } from 'fastify';
import Type from 'typebox';
import { authorizationParameters } from '../../endpoints/authorize/check-request.ts';
import { deviceAuthorizationParameters } from '../../endpoints/device-authorization.ts';
import { endSessionParameters } from '../../endpoints/end-session.ts';
import { tokenParameters } from '../../grants/token-request.ts';
import { eventTypeSchemas } from './event-type-schemas.ts';
import { error, form, isForm, refused, text, unavailable, withClient, withProof } from './oauth-parts.ts';
import { registrationSchemas } from './registration-schemas.ts';
import { mcp, passedOn } from './resource-schemas.ts';
import { accessTokenValidation, basicValidation, contextSelection, introspection } from './validation-schemas.ts';

const token: FastifySchema = {
  ...isForm,
  headers: withProof,
  body: form(tokenParameters, ['grant_type']),
  response: {
    200: Type.Object(
      {
        access_token: Type.String(),
        token_type: Type.Enum(['Bearer', 'DPoP'], { description: 'DPoP where the request proved a key: each use takes a proof of it' }),
        expires_in: Type.Integer({ description: 'Seconds' }),
        scope: Type.String({ description: 'What was granted' }),
        refresh_token: Type.Optional(Type.String()),
        id_token: Type.Optional(Type.String({ description: 'With the scope openid' })),
        issued_token_type: Type.Optional(Type.String({ description: 'Of a token exchange (RFC 8693)' })),
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

const pushedAuthorization: FastifySchema = {
  ...isForm,
  headers: withProof,
  body: form(
    [...new Set([...authorizationParameters, ...clientParameters])].filter((name) => name !== 'request' && name !== 'request_uri'),
    ['response_type'],
  ),
  response: {
    201: Type.Object(
      {
        request_uri: Type.String({ description: 'For the authorization endpoint, beside client_id; decided once' }),
        expires_in: Type.Integer({ description: 'Seconds in which it can be opened' }),
      },
      { description: 'The request is good and was kept (RFC 9126 §2.2)' },
    ),
    ...refused,
    429: error('Too many were pushed from this address; Retry-After says when'),
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
// A request that was pushed is named by its request_uri, and nothing else of it is asked for again.
const asked = form(authorizationParameters, ['client_id']);
const authorizationByGet: FastifySchema = { querystring: asked, response: authorizationAnswers };
const authorizationByPost: FastifySchema = { ...isForm, body: asked, response: authorizationAnswers };

const endSessionAnswers = {
  200: page('The page that asks whether to sign out, or that says that it is done'),
  303: Type.Null({ description: 'Back to post_logout_redirect_uri, with state' }),
  400: page('The app or its post_logout_redirect_uri is not registered, so the person is told and not sent anywhere'),
};
const endSessionAsked = form(endSessionParameters, [], {
  client_id: text('Which app asks, where id_token_hint does not say it'),
  id_token_hint: text('The ID token of the sign-in; an expired one counts. Without it the person is asked'),
});

/**
 * What the OAuth endpoints, the resources behind us and the catalogue of webhooks take and give, for the description alone: the
 * first read their parameters themselves, because OAuth says how each fault is worded, and a schema of the router would word it
 * otherwise. By method and path as the routes spell them.
 */
export const oauthSchemas: Readonly<Record<string, FastifySchema>> = {
  'GET /:platform/oauth/authorize': authorizationByGet,
  'POST /:platform/oauth/authorize': authorizationByPost,
  'GET /:platform/oauth/connect/authorize': authorizationByGet,
  'POST /:platform/oauth/connect/authorize': authorizationByPost,
  'GET /:platform/oauth/end_session': { querystring: endSessionAsked, response: endSessionAnswers },
  'POST /:platform/oauth/end_session': { ...isForm, body: endSessionAsked, response: endSessionAnswers },
  'POST /:platform/oauth/token': token,
  'POST /:platform/oauth/connect/token': token,
  'POST /:platform/oauth/device_authorization': deviceAuthorization,
  'POST /:platform/oauth/par': pushedAuthorization,
  ...registrationSchemas,
  ...eventTypeSchemas,
  'POST /:platform/oauth/revoke': revocation,
  'POST /:platform/oauth/connect/revocation': revocation,
  'POST /:platform/oauth/introspect': introspection,
  'POST /:platform/oauth/context': contextSelection,
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
