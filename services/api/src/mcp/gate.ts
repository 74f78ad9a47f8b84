import { bearerChallenge, resourceMetadataUrl } from '@grantlog/protocol';
import type { ShownToken } from '../access/shown-token.ts';
import type { AgentContext } from '../agent/context.ts';
import { AgentError } from '../agent/errors.ts';
import { identifyAgent } from '../agent/identify-agent.ts';
import { isObject } from './json-rpc.ts';
import type { McpPlatform } from './mcp-platform.ts';

/** Whether a message is let in, and with which token. The challenge of a refusal begins OAuth in MCP clients. */
export type Admission =
  | { readonly outcome: 'admitted'; readonly shown: ShownToken | null }
  | { readonly outcome: 'refused'; readonly error: AgentError; readonly challenge: string };

/**
 * Whether a message needs no token: everything that describes the server, and the two calls by which an agent without one
 * comes to have one.
 */
const isOpenToAll = (message: Readonly<Record<string, unknown>>): boolean => {
  if (message['method'] !== 'tools/call') return true;
  const params = isObject(message['params']) ? message['params'] : {};
  if (params['name'] === 'init_signup') return true;
  return params['name'] === 'check_account_status' && isObject(params['arguments']) && params['arguments']['sessionId'] !== undefined;
};

/** Where the metadata of the server's resource is: a resource elsewhere is described under the issuer all the same. */
const metadataUrlOf = ({ server, issuer }: McpPlatform): string =>
  server.resource.startsWith(`${issuer}/`) ? resourceMetadataUrl(server.resource) : `${issuer}/.well-known/oauth-protected-resource`;

/** What a platform gives or insists on without being asked; `offline_access` is the client's to ask for (MCP SEP-2207). */
const scopeToAskFor = ({ document }: McpPlatform): readonly string[] =>
  document.scopes.filter((scope) => (scope.default || scope.required) && scope.name !== 'offline_access').map((scope) => scope.name);

/** The refusal of a token; anything else that went wrong is thrown on. */
const refusalOf = (error: unknown): AgentError => {
  if (error instanceof AgentError) return error;
  throw error;
};

/**
 * Decides about one message before anything of it is done.
 *
 * Where no token is needed, a bad one counts as none: an agent whose access was revoked has to be able to begin anew, and
 * its MCP client goes on sending what it has. Elsewhere the challenge asks for what the platform gives by default, and
 * names `invalid_token` only where a token came (RFC 6750 §3.1).
 */
export const admit = async (
  platform: McpPlatform,
  context: Omit<AgentContext, 'shown'>,
  request: { readonly message: Readonly<Record<string, unknown>>; readonly shown: ShownToken | null },
): Promise<Admission> => {
  const { shown } = request;
  const isOpen = isOpenToAll(request.message);
  if (isOpen && (shown === null || request.message['method'] !== 'tools/call')) return { outcome: 'admitted', shown: null };
  const error = await identifyAgent({ ...context, shown }).then(() => null, refusalOf);
  if (error === null) return { outcome: 'admitted', shown };
  if (isOpen) return { outcome: 'admitted', shown: null };
  const place = {
    scope: scopeToAskFor(platform),
    resourceMetadata: metadataUrlOf(platform),
  };
  return {
    outcome: 'refused',
    error,
    challenge: bearerChallenge(
      error.presented ? { error: 'invalid_token', ...error.challenge, errorDescription: error.message, ...place } : place,
    ),
  };
};
