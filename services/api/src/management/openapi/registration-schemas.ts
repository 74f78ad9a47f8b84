import type { FastifySchema } from 'fastify';
import Type from 'typebox';
import { error, unavailable } from './oauth-parts.ts';

const url = (description: string) => Type.Optional(Type.String({ format: 'uri', description }));
const said = (description: string) => Type.Optional(Type.String({ description }));
const list = (description: string) => Type.Optional(Type.Array(Type.String(), { description }));

/** What a client may say of itself; anything else is ignored. */
const metadata = {
  redirect_uris: list('Every URI that it will be answered at: https, http on loopback (the port may vary), or a scheme of its own'),
  client_name: said('What people read when they decide'),
  token_endpoint_auth_method: said('none, client_secret_basic, client_secret_post or private_key_jwt'),
  grant_types: list('Those of the platform that a person decides about; by default authorization_code and refresh_token'),
  response_types: list('code'),
  scope: said('What it may ask for; the answer has all of it, whatever was named'),
  application_type: Type.Optional(Type.Enum(['web', 'native'], { description: 'Read off the redirect URIs where it is left out' })),
  client_uri: url('Its site'),
  logo_uri: url('Its logo'),
  tos_uri: url('Its terms'),
  policy_uri: url('Its privacy policy'),
  software_id: said('The same for every registration of one program'),
  software_version: said('Which version'),
  jwks_uri: url('Its public keys; not beside jwks'),
  jwks: Type.Optional(Type.Object({ keys: Type.Array(Type.Object({})) }, { description: 'Its public keys by value' })),
  token_endpoint_auth_signing_alg: said('The one algorithm of its assertions'),
  id_token_signed_response_alg: said('RS256, ES256 or EdDSA'),
  post_logout_redirect_uris: list('Where people may be sent once they have signed out'),
  backchannel_logout_uri: url('Where it hears that a sign-in has ended'),
  backchannel_logout_session_required: Type.Optional(Type.Boolean()),
  dpop_bound_access_tokens: Type.Optional(Type.Boolean({ description: 'It proves its key with every token request' })),
  require_pushed_authorization_requests: Type.Optional(Type.Boolean({ description: 'It pushes every authorization request' })),
};

const information = Type.Object(
  {
    client_id: Type.String(),
    client_id_issued_at: Type.Integer({ description: 'Seconds since the epoch' }),
    client_secret: said('Shown once, when the client registers'),
    client_secret_expires_at: Type.Optional(Type.Integer({ description: 'Beside a secret: 0, for it does not expire' })),
    registration_client_uri: Type.String({ format: 'uri' }),
    registration_access_token: Type.String({ description: 'A secret: for requests to registration_client_uri' }),
    ...metadata,
  },
  { description: 'Everything that is registered, with what the platform has made of it; what is not there is left out' },
);

const params = Type.Object({ platform: Type.String(), clientId: Type.String() });
const unfit = error('Refused, in words that say what to send (RFC 7591 §3.2.2)');
const managed = {
  401: error('The token is not of this client, or the client is not registered any more: register anew'),
  403: error('An operator has disabled the client'),
  ...unavailable,
};
const often = error('Too many in a short time; Retry-After says when');

/** Dynamic client registration and its management, for the description alone: its faults are worded by RFC 7591. */
export const registrationSchemas: Readonly<Record<string, FastifySchema>> = {
  'POST /:platform/oauth/register': {
    body: Type.Object(metadata),
    response: { 201: information, 400: unfit, 403: error('No client registers itself on this platform'), 429: often, ...unavailable },
  },
  'GET /:platform/oauth/register/:clientId': { params, response: { 200: information, ...managed } },
  'PUT /:platform/oauth/register/:clientId': {
    params,
    body: Type.Object({ client_id: Type.String({ description: 'That of the registration' }), ...metadata }),
    response: { 200: information, 400: unfit, 429: often, ...managed },
  },
  'DELETE /:platform/oauth/register/:clientId': {
    params,
    response: { 204: Type.Null({ description: 'The client has ended, and its grants with it' }), ...managed },
  },
};
