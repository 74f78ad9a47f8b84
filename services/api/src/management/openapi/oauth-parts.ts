import { deviceCodeGrant, jwtBearerGrant, tokenExchangeGrant } from '@grantlog/domain';
import { clientParameters } from '@grantlog/protocol';
import Type, { type TProperties, type TSchema } from 'typebox';

/** A text parameter, and what it is. */
export const text = (description: string): TSchema => Type.String({ description });
const resources = Type.Array(Type.String({ format: 'uri' }), { description: 'May repeat (RFC 8707): what the tokens are for' });

const tokenType = Type.Enum(['urn:ietf:params:oauth:token-type:access_token', 'urn:ietf:params:oauth:token-type:jwt']);

/** What each parameter is; the endpoints' own lists say who takes which, so that none is described that is not read. */
const parameters: Readonly<Record<string, TSchema>> = {
  access_token: text('Of the person'),
  actor_token: text('With token exchange: an access token that the client got for itself; may be left out'),
  actor_token_type: tokenType,
  assertion: text('With jwt-bearer: an ID-JAG of an identity provider that the platform trusts, good once'),
  audience: text('With token exchange: as resource'),
  claims: text('Claims asked for one by one, as JSON (OpenID Connect Core §5.5)'),
  client_address: text('The IP address of who typed them, by which guesses are throttled'),
  client_assertion: text('private_key_jwt (RFC 7523): a JWT that the client signed, good once'),
  client_assertion_type: Type.Enum(['urn:ietf:params:oauth:client-assertion-type:jwt-bearer']),
  client_id: text('Where neither an Authorization header nor an assertion names the client'),
  client_secret: text('client_secret_post; the Authorization header is better'),
  code: text('With authorization_code: good once, for ten minutes at most'),
  code_challenge: text('PKCE (RFC 7636): required of public clients, and wherever the platform says so'),
  code_challenge_method: Type.Enum(['S256']),
  code_verifier: text('Where the request before had a code_challenge'),
  context: text('The id of one of the contexts of the account'),
  device_code: text('With the device grant: asked with until somebody has decided, good once'),
  dpop_jkt: text('Thumbprint of the DPoP key that has to redeem the code (RFC 9449 §10)'),
  grant_type: Type.Enum(['authorization_code', 'refresh_token', 'client_credentials', deviceCodeGrant, tokenExchangeGrant, jwtBearerGrant]),
  id_token_hint: text('Who should be signed in (OpenID Connect Core §3.1.2.1)'),
  max_age: Type.String({ pattern: '^\\d+$', description: 'Seconds since the person signed in; more asks for the password again' }),
  nonce: text('Comes back in the ID token'),
  password: text('As it was typed'),
  post_logout_redirect_uri: Type.String({ format: 'uri', description: 'Exactly as registered' }),
  prompt: Type.String({ description: 'login, consent, select_account or none' }),
  redirect_uri: Type.String({ format: 'uri', description: 'Exactly as registered; at the token endpoint exactly as it was sent before' }),
  refresh_token: text('With refresh_token: spent by its use'),
  request: text('Refused with request_not_supported'),
  request_uri: text('Of a request that the client has pushed (RFC 9126); beside it only client_id counts'),
  resource: resources,
  requested_token_type: Type.Enum(['urn:ietf:params:oauth:token-type:access_token']),
  response_mode: Type.Enum(['query']),
  response_type: Type.Enum(['code']),
  scope: text('Scopes of the platform, parted by spaces; with refresh_token a subset of those granted'),
  state: text('Comes back as it is, on success and error'),
  subject_token: text('With token exchange: a live access token of this platform'),
  subject_token_type: tokenType,
  token: text('An access or refresh token'),
  token_type_hint: Type.Enum(['access_token', 'refresh_token']),
  username: text('The email of the account'),
};

/** The parameters of these names, described; `instead` says of one what it is here alone. Throws where nobody described one. */
export const form = (names: readonly string[], required: readonly string[], instead: TProperties = {}): TSchema => {
  const described = names.map((name): [string, TSchema] => {
    const schema = instead[name] ?? parameters[name];
    if (schema === undefined) throw new Error(`nobody described the parameter ${name}`);
    return [name, required.includes(name) ? schema : Type.Optional(schema)];
  });
  return Type.Object(Object.fromEntries(described));
};

/** An error as OAuth spells one. */
export const error = (description: string): TSchema =>
  Type.Object({ error: Type.String(), error_description: Type.Optional(Type.String()) }, { description });

/** How endpoints for clients refuse. */
export const refused = { 400: error('Refused (RFC 6749 §5.2)'), 401: error('The client is unknown, or did not prove itself') };
/** How they answer while nothing can be decided. */
export const unavailable = { 503: error('Nothing could be recorded or found out: ask again later') };

/** Of an endpoint that takes forms. */
export const isForm = { consumes: ['application/x-www-form-urlencoded'] } as const;
/** Where a client proves a key, and its tokens are bound to it. */
export const withProof = Type.Object({ DPoP: Type.Optional(text('A proof of possession (RFC 9449), made for this request alone')) });
/** How a client may show itself in a form. */
export const withClient = clientParameters;
