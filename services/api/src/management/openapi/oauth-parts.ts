import { deviceCodeGrant } from '@grantlog/domain';
import Type, { type TProperties, type TSchema } from 'typebox';

/** A text parameter, and what it is. */
export const text = (description: string): TSchema => Type.String({ description });
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
/** How a client may show itself in a form. */
export const withClient = ['client_id', 'client_secret'] as const;
