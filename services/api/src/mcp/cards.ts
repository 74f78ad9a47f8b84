import type { McpServerCard } from '@grantlog/domain';
import { discoveryPaths, type JsonDocument } from '@grantlog/protocol';

/** What every card is made from: nothing else is said anywhere, so the three never contradict each other. */
export type CardSource = { readonly server: McpServerCard; readonly displayName: string; readonly issuer: string };

/** Newest first. The first is stateless; the others begin with `initialize`, and are answered without sessions as well. */
const protocolVersions = ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

/** Where the MCP server of an issuer answers. */
export const mcpUrlOf = (issuer: string): string => `${issuer}/mcp`;

const serverCardUrlOf = (issuer: string): string => `${mcpUrlOf(issuer)}/server-card`;

/** The part behind the reverse-DNS publisher: `arlo-health` of `ai.arlohealth/arlo-health`. */
const shortNameOf = ({ name }: McpServerCard): string => name.slice(name.indexOf('/') + 1);

/** `/.well-known/mcp.json`, the form that came before SEP-2127: with where its authorization server describes itself. */
export const mcpJson = ({ server, issuer }: CardSource): JsonDocument => ({
  name: shortNameOf(server),
  version: server.version,
  description: server.description,
  publisher: server.publisher,
  transport: { type: 'streamable-http', url: mcpUrlOf(issuer) },
  authentication: { type: 'oauth2', metadata_url: `${new URL(issuer).origin}${discoveryPaths(issuer)[0]?.path}` },
});

export const serverCardMediaType = 'application/mcp-server-card+json';

/**
 * The server card. It says nothing of authorization, which is the protected resource metadata's to say.
 *
 * @see SEP-2127
 */
export const serverCard = ({ server, displayName, issuer }: CardSource): JsonDocument => ({
  $schema: 'https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json',
  name: server.name,
  version: server.version,
  description: server.description,
  title: displayName,
  websiteUrl: server.publisher.url,
  remotes: [{ type: 'streamable-http', url: mcpUrlOf(issuer), supportedProtocolVersions: protocolVersions }],
});

export const catalogMediaType = 'application/ai-catalog+json';

/**
 * A catalog of servers by their cards' URLs. The publisher of an identifier is the domain that a server's name reverses.
 *
 * @see SEP-2127 discovery; AI Catalog 1.0
 */
export const aiCatalog = (sources: readonly CardSource[]): JsonDocument => ({
  specVersion: '1.0',
  entries: sources.map(({ server, issuer }) => ({
    identifier: `urn:air:${server.name.split('/', 1)[0]?.split('.').toReversed().join('.')}:mcp:${shortNameOf(server)}`,
    type: serverCardMediaType,
    url: serverCardUrlOf(issuer),
  })),
});
