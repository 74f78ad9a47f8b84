import { type CallToolResult, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import type { AgentContext } from '../agent/context.ts';
import { AgentError } from '../agent/errors.ts';
import type { McpPlatform } from './mcp-platform.ts';
import { agentTools } from './tools.ts';

/** Every check of arguments and results is ours, in our words; the library is left to show the schemas. */
const shown = (schema: object) =>
  // Whatever type the library asks for: nothing is claimed of it that our own check does not hold.
  fromJsonSchema(schema, { getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }) });

const tools = agentTools.map((tool) => ({ ...tool, inputSchema: shown(tool.input), outputSchema: shown(tool.output) }));

const resultOf = (content: object): CallToolResult => ({
  content: [{ type: 'text', text: JSON.stringify(content) }],
  // The library's index signature; what stands in it is JSON all the same.
  structuredContent: content as Record<string, unknown>,
});

const signUpInstructions =
  'Without an access token, call init_signup, show the person authUrl and the number, and ask check_account_status with sessionId until it says complete; it then names where to redeem sessionId for tokens. Or let your MCP client sign the person in.';

const instructionsOf = ({ document, issuer, server }: McpPlatform): string =>
  [
    `${document.displayName}: ${server.description}.`,
    ...(document.agentSignUp === null ? [] : [signUpInstructions]),
    `Documentation as text: ${issuer}/llms.txt`,
  ].join(' ');

/**
 * An MCP server for one request, with every tool of the platform. What an operation refuses becomes a result that says so
 * (`isError`); a failure of ours goes to `onFailure`, and nothing of it to the caller.
 */
export const createAgentMcpServer = (platform: McpPlatform, context: AgentContext, onFailure: (error: unknown) => void): McpServer => {
  const { server: card, document } = platform;
  const { name, version, description, publisher } = card;
  const server = new McpServer(
    { name, version, description, title: document.displayName, websiteUrl: publisher.url },
    { capabilities: { tools: { listChanged: false } }, instructions: instructionsOf(platform) },
  );
  const offered = tools.filter((tool) => document.agentSignUp !== null || tool.name !== 'init_signup');
  for (const { name: called, title, description: told, annotations, inputSchema, outputSchema, run } of offered) {
    server.registerTool(
      called,
      { title, description: told, annotations: { title, ...annotations }, inputSchema, outputSchema },
      async (input) => {
        try {
          return resultOf(await run(context, input));
        } catch (error) {
          if (error instanceof AgentError) return { ...resultOf(error.body), isError: true };
          onFailure(error);
          return { content: [], isError: true };
        }
      },
    );
  }
  return server;
};
