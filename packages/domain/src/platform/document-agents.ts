import type { AgentSignUp, McpServerCard } from './document.ts';
import { clientId, label, webUrl } from './document-texts.ts';
import { flag, needed, object, optional, text, whole } from './readers.ts';

/** What lets agents bring people in. */
export const agentSignUp = object<AgentSignUp>({
  unidentifiedClient: needed(clientId),
  // RFC 8628 §3.2 has five seconds where nothing is said.
  intervalSeconds: optional(whole(1, 60), 5),
  codeChallengeRequired: optional(flag, false),
});

/** The card of the MCP server, as its registry takes one. */
export const mcpServer = object<McpServerCard>({
  resource: needed(webUrl),
  name: needed(
    text({
      max: 200,
      accepts: (name) => /^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/.test(name),
      expected: 'a reverse-DNS name and a slash, like "ai.example/server"',
    }),
  ),
  version: needed(text({ max: 255, accepts: (version) => /^[0-9A-Za-z.+-]+$/.test(version), expected: 'one version, like "1.0.0"' })),
  description: needed(text({ max: 100, expected: 'a sentence of at most 100 characters' })),
  publisher: needed(object({ name: needed(label), url: needed(webUrl) })),
});
