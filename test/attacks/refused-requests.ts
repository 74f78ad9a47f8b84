import { pkce } from '../support/agent.ts';

export const redirectUri = 'https://a.example/cb';
export const clientId = 'confidential';
const { challenge } = pkce();

/** An authorization request without fault; every test changes one thing of it. */
export const good = {
  response_type: 'code',
  client_id: clientId,
  redirect_uri: redirectUri,
  scope: 'openid read',
  state: 'state-1',
  code_challenge: challenge,
  code_challenge_method: 'S256',
};

/** Parameters in place of the good ones; null leaves one out. */
export type Change = Readonly<Record<string, string | null>>;

type Refused = readonly [id: string, what: string, error: string, change: Change, more?: readonly (readonly [string, string])[]];
export const long = (length: number): string => 'a'.repeat(length);

/** What a proved client asks wrongly, and the error that its redirect URI hears. */
export const refused: readonly Refused[] = [
  ['AZ-10', 'response_type=token', 'unsupported_response_type', { response_type: 'token' }],
  ['AZ-10', 'response_type=id_token', 'unsupported_response_type', { response_type: 'id_token' }],
  ['AZ-10', 'response_type=code token', 'unsupported_response_type', { response_type: 'code token' }],
  ['AZ-10', 'response_type=none', 'unsupported_response_type', { response_type: 'none' }],
  ['AZ-11', 'no response_type', 'invalid_request', { response_type: null }],
  ['AZ-11', 'an empty response_type', 'invalid_request', { response_type: '' }],
  ['AZ-12', 'no code_challenge of a confidential client', 'invalid_request', { code_challenge: null, code_challenge_method: null }],
  [
    'AZ-12',
    'no code_challenge of a public client',
    'invalid_request',
    { client_id: 'public', code_challenge: null, code_challenge_method: null },
  ],
  ['AZ-13', 'plain', 'invalid_request', { code_challenge_method: 'plain' }],
  ['AZ-13', 'no code_challenge_method', 'invalid_request', { code_challenge_method: null }],
  ['AZ-13', 's256 in lower case', 'invalid_request', { code_challenge_method: 's256' }],
  ['AZ-14', 'a challenge of 42', 'invalid_request', { code_challenge: long(42) }],
  ['AZ-14', 'a challenge of 44', 'invalid_request', { code_challenge: long(44) }],
  ['AZ-14', 'a challenge of 129', 'invalid_request', { code_challenge: long(129) }],
  ['AZ-14', 'a padded challenge', 'invalid_request', { code_challenge: `${long(43)}=` }],
  ['AZ-14', 'a challenge with a plus', 'invalid_request', { code_challenge: `${long(42)}+` }],
  ['AZ-14', 'a method without challenge', 'invalid_request', { code_challenge: null }],
  ['AZ-15', 'response_type twice', 'invalid_request', {}, [['response_type', 'code']]],
  ['AZ-15', 'scope twice', 'invalid_request', {}, [['scope', 'openid']]],
  ['AZ-15', 'code_challenge twice', 'invalid_request', {}, [['code_challenge', challenge]]],
  ['AZ-15', 'nonce twice', 'invalid_request', { nonce: '1' }, [['nonce', '2']]],
  ['AZ-15', 'prompt twice', 'invalid_request', { prompt: 'login' }, [['prompt', 'none']]],
  ['AZ-15', 'max_age twice', 'invalid_request', { max_age: '1' }, [['max_age', '2']]],
  ['AZ-26', 'prompt=none, nobody signed in', 'login_required', { prompt: 'none' }],
  ['AZ-26', 'prompt=none beside another', 'invalid_request', { prompt: 'none login' }],
  ['AZ-29', 'max_age=-1', 'invalid_request', { max_age: '-1' }],
  ['AZ-29', 'max_age=1e3', 'invalid_request', { max_age: '1e3' }],
  ['AZ-32', 'request', 'request_not_supported', { request: 'eyJhbGciOiJub25lIn0.e30.' }],
  ['AZ-32', 'request_uri', 'request_uri_not_supported', { request_uri: 'https://evil.example/request' }],
  ['TK-25', 'an unknown resource', 'invalid_target', { resource: 'https://elsewhere.example/' }],
  ['TK-25', 'a resource with a fragment', 'invalid_target', { resource: 'https://api.example/gate#x' }],
  ['TK-25', 'a resource that is no URI', 'invalid_target', { resource: 'api' }],
  ['RFC 6749 §3.3', 'an unknown scope', 'invalid_scope', { scope: 'openid nonsense' }],
  ['RFC 6749 §3.3', 'a scope in quotes', 'invalid_scope', { scope: '"openid"' }],
  ['RFC 6749 §2', 'a client without the code grant', 'unauthorized_client', { client_id: 'machine' }],
  ['OIDC Core §3.1.2.1', 'response_mode=fragment', 'invalid_request', { response_mode: 'fragment' }],
  ['AZ-21', 'a nonce of 2,049 characters', 'invalid_request', { nonce: long(2_049) }],
  ['AZ-30', 'an id_token_hint that is none', 'invalid_request', { id_token_hint: 'nonsense' }],
];
