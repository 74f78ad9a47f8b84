/**
 * How a route knows its caller. Every route declares one; a test walks the route table.
 *
 * - `none`: anybody; says nothing that is not public.
 * - `client`: OAuth client authentication, public clients by their id alone.
 * - `bearer`: an access token of the platform itself, of which webhook endpoints are those of its client or grant, or the registration access token of the client that the path names.
 * - `token`: the token in the request is what is asked about, and proves itself.
 * - `browser`: the sign-in cookie, or the form that makes one; forms carry a CSRF token.
 * - `account`: an account of the platform, by an access token for its own settings or, where the platform lets it, HTTP Basic.
 * - `tool`: an MCP message: those that describe the server and begin a sign-up are open, every other call of a tool takes an
 *   access token for the server.
 * - `agent`: an access token of the agent's own session; what its sessionId alone tells is told without.
 * - `upstream`: passed on as it is; the protected resource behind it judges the credentials with its own guard.
 * - `reader`: an access token of the platform, for what concerns it, or an operator's, for everything of the platform.
 * - `operator`: an access token of the system platform, with a role for the platform.
 * - `auditor`: the same with the scope audit, and a role for the platform's audit trail.
 */
export type RouteAuthentication =
  | 'none'
  | 'client'
  | 'bearer'
  | 'token'
  | 'browser'
  | 'account'
  | 'tool'
  | 'agent'
  | 'upstream'
  | 'reader'
  | 'operator'
  | 'auditor';

/** How a route words its errors: OAuth JSON, a page for people, or a problem (RFC 9457). */
export type ErrorStyle = 'oauth' | 'page' | 'problem';

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly authentication?: RouteAuthentication;
    readonly errors?: ErrorStyle;
    /** Browsers of any origin may call it (CORS without credentials). */
    readonly openToBrowsers?: boolean;
  }
}
