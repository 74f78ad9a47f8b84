import { deviceCodeGrant } from '@grantlog/domain';
import { discoveryPaths, resourceMetadataUrl } from '@grantlog/protocol';
import { resourcesOf } from '../platforms/own-resources.ts';
import { lasting, paragraphs, type TextPage, table } from './text-page.ts';

const scopeKind = (scope: { readonly default: boolean; readonly required: boolean }): string =>
  scope.required ? 'required' : scope.default ? 'default' : 'on request';

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
      `${document.displayName} is an OAuth 2.1 and OpenID Connect issuer: \`${issuer}\`. Compare it byte for byte, without a slash at its end.`,
      '## Discovery',
      table(
        ['Document', 'URL'],
        [
          ['Authorization server (RFC 8414)', `${new URL(issuer).origin}${discoveryPaths(issuer)[0]?.path}`],
          ['OpenID Connect', `${issuer}/.well-known/openid-configuration`],
          ...resources
            .filter(({ uri }) => uri.startsWith(`${issuer}/`))
            .map(({ name, uri }) => [`Protected resource (RFC 9728): ${name}`, resourceMetadataUrl(uri)]),
        ],
      ),
      '## Endpoints',
      table(
        ['Endpoint', 'URL'],
        [
          ...(hasCode ? [['Authorization', `${issuer}/oauth/authorize`]] : []),
          ...(hasDevice ? [['Device authorization (RFC 8628)', `${issuer}/oauth/device_authorization`]] : []),
          ['Token', `${issuer}/oauth/token`],
          ['Revocation (RFC 7009)', `${issuer}/oauth/revoke`],
          ['Introspection (RFC 7662)', `${issuer}/oauth/introspect`],
          ['Userinfo', `${issuer}/oauth/userinfo`],
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
    );
  },
};
