/** What routes without a schema are for. Those of the management API say it themselves. */
export type RouteSummary = { readonly tag: 'Discovery' | 'OAuth' | 'Pages' | 'Resources' | 'About'; readonly summary: string };

const discovery = (summary: string): RouteSummary => ({ tag: 'Discovery', summary });
const oauth = (summary: string): RouteSummary => ({ tag: 'OAuth', summary });
const page = (summary: string): RouteSummary => ({ tag: 'Pages', summary });

const serverMetadata = discovery('Authorization server metadata (RFC 8414)');
const openidConfiguration = discovery('OpenID Provider metadata (OpenID Connect Discovery)');
const transmitterMetadata = discovery('Transmitter of security events (OpenID Shared Signals Framework)');
const resourceMetadata = discovery('Protected resource metadata (RFC 9728)');
const mcpJson = discovery('The MCP server of a platform and where it authorizes');
const authorization = oauth('Authorization endpoint (RFC 6749 §3.1)');
const token = oauth('Token endpoint (RFC 6749 §3.2): authorization_code, refresh_token, client_credentials, device_code');
const revocation = oauth('Revocation (RFC 7009)');
const endSession = oauth('Signs a person out of the platform for an app (OpenID Connect RP-Initiated Logout)');
const userinfo = oauth('Userinfo (OpenID Connect Core §5.3)');

const upstream: RouteSummary = { tag: 'Resources', summary: 'What lies under a resource of the platform, passed on to where it runs' };

/** By method and path as the routes spell them; a test finds the route that nobody described. */
export const routeSummaries: Readonly<Record<string, RouteSummary>> = {
  'GET /': { tag: 'About', summary: 'What runs here' },
  'GET /mailbox': page('What was mailed, in development only'),
  'GET /:platform': page('What a person finds under the issuer of a platform'),
  'GET /openapi.json': { tag: 'About', summary: 'This document' },
  'GET /.well-known/oauth-authorization-server': discovery('Says that each platform is its own issuer'),
  'GET /.well-known/openid-configuration': discovery('Says that each platform is its own issuer'),
  'GET /.well-known/oauth-authorization-server/:platform': serverMetadata,
  'GET /:platform/.well-known/oauth-authorization-server': serverMetadata,
  'GET /.well-known/openid-configuration/:platform': openidConfiguration,
  'GET /:platform/.well-known/openid-configuration': openidConfiguration,
  'GET /.well-known/ssf-configuration/:platform': transmitterMetadata,
  'GET /:platform/.well-known/ssf-configuration': transmitterMetadata,
  'GET /.well-known/oauth-protected-resource': resourceMetadata,
  'GET /.well-known/oauth-protected-resource/*': resourceMetadata,
  'GET /.well-known/oauth-protected-resource/:platform': resourceMetadata,
  'GET /.well-known/oauth-protected-resource/:platform/*': resourceMetadata,
  'GET /:platform/.well-known/oauth-protected-resource': resourceMetadata,
  'GET /:platform/.well-known/oauth-protected-resource/*': resourceMetadata,
  'GET /:platform/.well-known/jwks.json': discovery('Public keys of a platform (RFC 7517)'),
  'GET /.well-known/mcp.json': discovery('Says that each platform has its own MCP server'),
  'GET /.well-known/mcp.json/:platform': mcpJson,
  'GET /:platform/.well-known/mcp.json': mcpJson,
  'GET /:platform/mcp/server-card': discovery('The card of the MCP server (SEP-2127)'),
  'GET /.well-known/ai-catalog.json': discovery('The MCP servers of all platforms, in development only'),
  'GET /:platform/.well-known/ai-catalog.json': discovery('The MCP server of a platform, for those who know its host alone (SEP-2127)'),
  'GET /llms.txt': { tag: 'About', summary: 'Where agents find the documentation of a platform' },
  'GET /:platform/llms.txt': { tag: 'About', summary: 'The documentation of a platform for agents, as a list' },
  'GET /:platform/docs/:page': { tag: 'About', summary: 'A page of it, as Markdown' },
  'GET /:platform/webhooks/event-types': discovery('Every type of webhook: its schema, an example, and what to do about it'),
  'GET /:platform/webhooks/event-types/:type': discovery('One type of webhook'),
  'GET /:platform/webhooks/endpoints/:endpointId/jwks.json': discovery(
    'Public keys that a webhook endpoint of Ed25519 is signed for with (RFC 7517)',
  ),
  'POST /:platform/mcp': { tag: 'Resources', summary: 'The MCP server (streamable HTTP), on platforms that have one' },
  'GET /:platform/oauth/authorize': authorization,
  'POST /:platform/oauth/authorize': authorization,
  'GET /:platform/oauth/connect/authorize': authorization,
  'POST /:platform/oauth/connect/authorize': authorization,
  'POST /:platform/oauth/token': token,
  'POST /:platform/oauth/connect/token': token,
  'POST /:platform/oauth/device_authorization': oauth('Device authorization (RFC 8628 §3.1), on platforms that have the grant type'),
  'POST /:platform/oauth/register': oauth('Dynamic client registration (RFC 7591), on platforms that are open to clients nobody knows'),
  'GET /:platform/oauth/register/:clientId': oauth('What is registered, for the client itself (RFC 7592 §2.1)'),
  'PUT /:platform/oauth/register/:clientId': oauth(
    'Another registration in place of the one there was, by the client itself (RFC 7592 §2.2)',
  ),
  'DELETE /:platform/oauth/register/:clientId': oauth('The end of a client and its grants, by the client itself (RFC 7592 §2.3)'),
  'POST /:platform/oauth/par': oauth('Pushed authorization requests (RFC 9126)'),
  'POST /:platform/oauth/revoke': revocation,
  'POST /:platform/oauth/connect/revocation': revocation,
  'POST /:platform/oauth/introspect': oauth('Introspection (RFC 7662)'),
  'POST /:platform/oauth/context': oauth('Changes what the grant of a token is for, on platforms whose grants have a context'),
  'POST /:platform/oauth/basicvalidation': oauth('Whether HTTP Basic credentials are good, on platforms that take them for exploration'),
  'GET /:platform/oauth/end_session': endSession,
  'POST /:platform/oauth/end_session': endSession,
  'GET /:platform/oauth/userinfo': userinfo,
  'POST /:platform/oauth/userinfo': userinfo,
  'GET /:platform/oauth/connect/accesstokenvalidation': oauth('Whether an access token is good, on platforms with the connect paths'),
  'GET /:platform/sign-in': page('The sign-in form'),
  'POST /:platform/sign-in': page('Signs a person in'),
  'GET /:platform/sign-up': page('The sign-up form, on platforms that are open to it'),
  'POST /:platform/sign-up': page('Mails a code to who wants an account'),
  'POST /:platform/sign-up/code': page('Takes the code and makes the account'),
  'POST /:platform/sign-in/code': page('Takes the code of the second step'),
  'POST /:platform/sign-in/enrolment': page('Takes a first code where the platform requires a second step'),
  'POST /:platform/sign-in/continue': page('Goes on from the recovery codes to the decision that waits'),
  'POST /:platform/sign-out': page('Signs a person out'),
  'GET /:platform/security': page('How the account of who is signed in is secured'),
  'POST /:platform/security/password': page('Changes the password'),
  'POST /:platform/security/totp': page('Begins to set up an authenticator app'),
  'POST /:platform/security/totp/move': page('Begins to move the second step to another app'),
  'POST /:platform/security/totp/confirm': page('Switches an authenticator app on with a first code'),
  'POST /:platform/security/totp/remove': page('Switches the second step off'),
  'POST /:platform/security/recovery-codes': page('Makes new recovery codes'),
  'POST /:platform/consent': page('Takes the decision of a person'),
  'GET /:platform/connect/:link': page("The person's side of an agent's session; opening it uses nothing up"),
  'POST /:platform/connect': page("Takes a person's one answer to an agent's session"),
  'GET /:platform/device': page('Asks for the code that a device shows (RFC 8628 §3.3)'),
  'POST /:platform/device': page('Takes the code that a device shows'),
  'GET /:platform/connections': page('What is connected to the account of who is signed in'),
  'POST /:platform/connections': page('Ends a connection'),
  'POST /:platform/connections/context': page('Changes what a connection is for'),
  'GET /:platform/*': upstream,
  'POST /:platform/*': upstream,
  'PUT /:platform/*': upstream,
  'PATCH /:platform/*': upstream,
  'DELETE /:platform/*': upstream,
};
