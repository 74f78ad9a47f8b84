/** What routes without a schema are for. Those of the management API say it themselves. */
export type RouteSummary = { readonly tag: 'Discovery' | 'OAuth' | 'Pages' | 'About'; readonly summary: string };

const discovery = (summary: string): RouteSummary => ({ tag: 'Discovery', summary });
const oauth = (summary: string): RouteSummary => ({ tag: 'OAuth', summary });
const page = (summary: string): RouteSummary => ({ tag: 'Pages', summary });

const serverMetadata = discovery('Authorization server metadata (RFC 8414)');
const openidConfiguration = discovery('OpenID Provider metadata (OpenID Connect Discovery)');
const resourceMetadata = discovery('Protected resource metadata (RFC 9728)');
const authorization = oauth('Authorization endpoint (RFC 6749 §3.1)');
const token = oauth('Token endpoint (RFC 6749 §3.2): authorization_code, refresh_token, client_credentials');
const revocation = oauth('Revocation (RFC 7009)');
const userinfo = oauth('Userinfo (OpenID Connect Core §5.3)');

/** By method and path as the routes spell them; a test finds the route that nobody described. */
export const routeSummaries: Readonly<Record<string, RouteSummary>> = {
  'GET /': { tag: 'About', summary: 'What runs here' },
  'GET /:platform': page('What a person finds under the issuer of a platform'),
  'GET /openapi.json': { tag: 'About', summary: 'This document' },
  'GET /.well-known/oauth-authorization-server': discovery('Says that each platform is its own issuer'),
  'GET /.well-known/openid-configuration': discovery('Says that each platform is its own issuer'),
  'GET /.well-known/oauth-authorization-server/:platform': serverMetadata,
  'GET /:platform/.well-known/oauth-authorization-server': serverMetadata,
  'GET /.well-known/openid-configuration/:platform': openidConfiguration,
  'GET /:platform/.well-known/openid-configuration': openidConfiguration,
  'GET /.well-known/oauth-protected-resource': resourceMetadata,
  'GET /.well-known/oauth-protected-resource/*': resourceMetadata,
  'GET /.well-known/oauth-protected-resource/:platform': resourceMetadata,
  'GET /.well-known/oauth-protected-resource/:platform/*': resourceMetadata,
  'GET /:platform/.well-known/oauth-protected-resource': resourceMetadata,
  'GET /:platform/.well-known/oauth-protected-resource/*': resourceMetadata,
  'GET /:platform/.well-known/jwks.json': discovery('Public keys of a platform (RFC 7517)'),
  'GET /:platform/oauth/authorize': authorization,
  'POST /:platform/oauth/authorize': authorization,
  'GET /:platform/oauth/connect/authorize': authorization,
  'POST /:platform/oauth/connect/authorize': authorization,
  'POST /:platform/oauth/token': token,
  'POST /:platform/oauth/connect/token': token,
  'POST /:platform/oauth/revoke': revocation,
  'POST /:platform/oauth/connect/revocation': revocation,
  'POST /:platform/oauth/introspect': oauth('Introspection (RFC 7662)'),
  'GET /:platform/oauth/userinfo': userinfo,
  'POST /:platform/oauth/userinfo': userinfo,
  'GET /:platform/oauth/connect/accesstokenvalidation': oauth('Whether an access token is good, on platforms with the connect paths'),
  'GET /:platform/sign-in': page('The sign-in form'),
  'POST /:platform/sign-in': page('Signs a person in'),
  'POST /:platform/sign-out': page('Signs a person out'),
  'POST /:platform/consent': page('Takes the decision of a person'),
};
