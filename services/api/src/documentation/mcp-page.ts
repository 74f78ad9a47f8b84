import { mcpUrlOf } from '../mcp/cards.ts';
import { agentTools } from '../mcp/tools.ts';
import { paragraphs, type TextPage, table } from './text-page.ts';

/** How to connect to the platform's MCP server. */
export const mcpPage: TextPage = {
  slug: 'mcp',
  title: 'MCP server',
  about: 'Where it is, what it speaks, its tools, and which of them need a token',
  isFor: (document) => document.mcpServer !== null,
  write: ({ document, issuer }) =>
    paragraphs(
      '# MCP server',
      `\`${mcpUrlOf(issuer)}\`: streamable HTTP, protocol 2026-07-28 and, for older clients, 2025-11-25 and before. It keeps no protocol sessions: every request stands for itself. One JSON-RPC message in each request, of at most 65,536 bytes.`,
      table(
        ['What it says of itself', 'URL'],
        [
          ['Server card (SEP-2127)', `${mcpUrlOf(issuer)}/server-card`],
          ['AI catalog', `${issuer}/.well-known/ai-catalog.json`],
          ['mcp.json', `${issuer}/.well-known/mcp.json`],
        ],
      ),
      '## Tools',
      table(
        ['Tool', 'What it does'],
        agentTools
          .filter(({ name }) => document.agentSignUp !== null || name !== 'init_signup')
          .map(({ name, description }) => [`\`${name}\``, description]),
      ),
      'Discovery, `initialize`, `ping`, `tools/list`, `init_signup`, and `check_account_status` with a `sessionId` need no token. Any other call without one is answered with HTTP 401 and `WWW-Authenticate: Bearer` with `resource_metadata` and `scope`: from there an MCP client finds the authorization server by itself, sends the person to sign in, and repeats the call. Tokens are for this server alone: send its URL as `resource`.',
      document.agentSignUp === null
        ? null
        : 'Webhooks belong to a session, and only `init_signup` begins one: with a token from the sign-in of an MCP client, `register_webhook` and `get_webhook_status` answer `invalid_request`.',
    ),
};
