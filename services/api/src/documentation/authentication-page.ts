import { deviceCodeGrant, type PlatformDocument } from '@grantlog/domain';
import { discoveryPaths, resourceMetadataUrl } from '@grantlog/protocol';
import { isOpenidProvider } from '../platforms/issuer.ts';
import { resourcesOf } from '../platforms/own-resources.ts';
import { actingForSomebody } from './delegation-part.ts';
import { signingIn } from './openid-part.ts';
import { lasting, paragraphs, type TextPage, table } from './text-page.ts';

const scopeKind = (scope: { readonly default: boolean; readonly required: boolean }): string =>
  scope.required ? 'required' : scope.default ? 'default' : 'on request';

/** What becomes of clients that refresh from several places at once, or again because an answer was lost. */
const refreshingAtOnce = ({ refresh }: PlatformDocument): string => {
  const care =
    'Refresh in one place at a time, keep the new refresh token before you use anything else of the answer, and share both with whatever else runs as the same connection.';
  return paragraphs(
    '## Refreshing at once, or again',
    refresh.retrySeconds === 0
      ? `This platform is strict: a refresh token is dead the moment it has been used. Two processes that refresh with the same token race, and the second one shows a spent token; so does a client that repeats a refresh because the answer was lost. Either ends the connection, and the person has to allow it anew. ${care} The window is a setting of the platform: its operator may allow ${lasting(60)} (\`refresh.retrySeconds\`), as most platforms do, and a repeated refresh is then answered with the identical tokens.`
      : `Whoever comes second within ${lasting(refresh.retrySeconds)} is answered with the identical tokens, at most ${refresh.retryLimit} times in a row. ${care}`,
  ).trimEnd();
};

/** How a client with keys shows itself, and keeps what it asks for out of the browser's hands. */
const signingRequests = (issuer: string, hasCode: boolean): string =>
  paragraphs(
    '## Signing instead of a secret',
    `A client that is registered with public keys (\`jwks\` or \`jwks_uri\`) authenticates with \`private_key_jwt\` (RFC 7523): a JWT by RS256, PS256, ES256 or EdDSA whose \`iss\` and \`sub\` are the \`client_id\` and whose \`aud\` is \`${issuer}\` and nobody else, sent as \`client_assertion\` with \`client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\`. Give each a \`jti\` of its own and an \`exp\` within the hour. It is good once, also where the request fails: sign anew for each request. Publish a new key at \`jwks_uri\` ten seconds before you sign with it: it is fetched where a signature names it first.`,
    hasCode
      ? `Push an authorization request (RFC 9126) to \`${issuer}/oauth/par\`, with the same parameters and your client authentication, and you hear at once what is wrong with it. Then send the browser to the authorization endpoint with \`client_id\` and the \`request_uri\` of the answer alone, within ninety seconds. The page may be reloaded; the request is decided once.`
      : null,
  ).trimEnd();

/** How a client makes its tokens useless to whoever finds them. */
const provingAKey = (issuer: string): string =>
  paragraphs(
    '## Binding tokens to a key',
    `Send a \`DPoP\` header with a proof (RFC 9449) to \`${issuer}/oauth/token\`, and the answer has \`token_type\` \`DPoP\`: from then on every token request of the connection needs a proof of the same key, and every access token is sent as \`Authorization: DPoP\` with a proof that names it in \`ath\`. As \`Bearer\` it is refused everywhere.`,
    'Make a proof for each request, also when you repeat one: it is good once, for 60 seconds either way of its `iat`, for the method and the URL that it names as you call them. Servers here ask for no nonce. Send `dpop_jkt` with the authorization request to bind the code, too.',
  ).trimEnd();

/** What a connection is for, where the platform's people have several of what its resources hold. */
const forWhich = ({ contexts, resources }: PlatformDocument, issuer: string): string | null => {
  if (contexts === null) return null;
  const { noun, required } = contexts;
  const ofOne = resources.find(({ perContext }) => perContext)?.uri;
  return paragraphs(
    `## For which ${noun}`,
    `The person chooses a ${noun} where they allow the connection${required ? '' : ', or none'}, and may choose another among their connections at \`${issuer}/connections\`. The choice belongs to the connection: it outlives refreshes, and a token follows it from its next use on. Once the account does not have the ${noun} any more, the connection has none${required ? ', and its next refresh is `invalid_grant`: ask the person anew' : ''}.`,
    ofOne === undefined
      ? null
      : `To be connected to one ${noun} alone, ask with its own URI as \`resource\`: \`${ofOne}/{id}\`, whose metadata says the same. Such a token is good there and nowhere else, and the choice cannot be changed.`,
    `Introspection says which it is in \`context\`, and tells the resource server in \`contexts\` what else there is to choose from. It changes the choice for the bearer of a token by \`POST ${issuer}/oauth/context\` with \`token\` and \`context\` (\`grant_context_endpoint\` in the metadata).`,
  ).trimEnd();
};

/** How any client of the platform gets and keeps tokens. */
export const authenticationPage: TextPage = {
  slug: 'authentication',
  title: 'Authentication',
  about: 'Discovery, endpoints, scopes, and how long tokens last',
  isFor: () => true,
  write: ({ document, issuer }) => {
    const { grantTypes, lifetimes, refresh } = document;
    const hasCode = grantTypes.includes('authorization_code');
    const hasDevice = grantTypes.includes(deviceCodeGrant);
    const resources = resourcesOf(document, issuer);
    return paragraphs(
      '# Authentication',
      `${document.displayName} is an OAuth 2.1 ${isOpenidProvider(document) ? 'and OpenID Connect ' : ''}issuer: \`${issuer}\`. Compare it byte for byte, without a slash at its end.`,
      '## Discovery',
      table(
        ['Document', 'URL'],
        [
          ['Authorization server (RFC 8414)', `${new URL(issuer).origin}${discoveryPaths(issuer)[0]?.path}`],
          ...(isOpenidProvider(document) ? [['OpenID Connect', `${issuer}/.well-known/openid-configuration`]] : []),
          ...resources
            .filter(({ uri }) => uri.startsWith(`${issuer}/`))
            .map(({ name, uri }) => [`Protected resource (RFC 9728): ${name}`, resourceMetadataUrl(uri)]),
        ],
      ),
      '## Endpoints',
      table(
        ['Endpoint', 'URL'],
        [
          ...(hasCode
            ? [
                ['Authorization', `${issuer}/oauth/authorize`],
                ['Pushed authorization requests (RFC 9126)', `${issuer}/oauth/par`],
              ]
            : []),
          ...(hasDevice ? [['Device authorization (RFC 8628)', `${issuer}/oauth/device_authorization`]] : []),
          ['Token', `${issuer}/oauth/token`],
          ['Revocation (RFC 7009)', `${issuer}/oauth/revoke`],
          ['Introspection (RFC 7662)', `${issuer}/oauth/introspect`],
          ...(document.registration.policy.includes('open') ? [['Registration (RFC 7591)', `${issuer}/oauth/register`]] : []),
          ...(isOpenidProvider(document) ? [['Userinfo', `${issuer}/oauth/userinfo`]] : []),
        ],
      ),
      `Grant types: ${grantTypes.map((grantType) => `\`${grantType}\``).join(', ')}.`,
      hasCode
        ? `With an authorization code: use PKCE with S256 and a fresh verifier each time, send \`state\`, compare \`iss\` of the response with the issuer, and send the URI of the resource you want a token for as \`resource\` (RFC 8707). A code lasts ${lasting(lifetimes.codeSeconds)} and is redeemed once.`
        : null,
      '## Scopes',
      table(
        ['Scope', 'What it lets you do', 'When'],
        document.scopes.map((scope) => [`\`${scope.name}\``, scope.description, scopeKind(scope)]),
      ),
      'A request that names no scope gets the default ones. The answer of the token endpoint says what was granted.',
      '## Tokens',
      paragraphs(
        `An access token lasts ${lasting(lifetimes.accessTokenSeconds)}; send it as \`Authorization: Bearer\`, never in a URL. It is dead at once when the person, you or an operator ends the connection.`,
        grantTypes.includes('refresh_token')
          ? `A refresh token lasts ${lasting(lifetimes.refreshTokenSeconds)} from its issue${refresh.requiresOfflineAccess ? ' and needs the scope `offline_access`' : ''}. Each refresh answers a new one and spends the old.${
              refresh.retrySeconds > 0
                ? ` An answer that got lost may be asked for again with the same token for ${lasting(refresh.retrySeconds)}; the answer is the same.`
                : ''
            } A spent token that comes later ends the connection, because somebody else may have it.`
          : null,
      ).trimEnd(),
      hasCode || hasDevice
        ? `Refresh with \`POST ${issuer}/oauth/token\`, form \`grant_type=refresh_token&refresh_token=…&client_id=…\`. \`invalid_grant\` means that the connection is over: authenticate again.`
        : null,
      grantTypes.includes('refresh_token') ? refreshingAtOnce(document) : null,
      signingRequests(issuer, hasCode),
      forWhich(document, issuer),
      provingAKey(issuer),
      actingForSomebody(document, issuer),
      signingIn(document, issuer),
    );
  },
};
