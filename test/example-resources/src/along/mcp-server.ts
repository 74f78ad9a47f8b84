import { type CallToolResult, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import { type Caller, type Tool, ToolRefusal } from './tools.ts';

const schemaOf = ({ properties }: Tool) =>
  // The tools check their arguments themselves, in words for models; the library shows the schema.
  fromJsonSchema(
    { type: 'object', properties, required: Object.keys(properties) },
    { getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }) },
  );

const said = (text: string): CallToolResult['content'] => [{ type: 'text', text }];

/** The MCP server for one request of one caller. A failure of ours goes to `onDefect`, and nothing of it to the caller. */
export const createAlongServer = (tools: readonly Tool[], caller: Caller, onDefect: (error: unknown) => void): McpServer => {
  const server = new McpServer(
    { name: 'along', version: '1.0.0', title: 'Along Safes' },
    { capabilities: { tools: { listChanged: false } }, instructions: 'Call along_list_safes first, then ask with along.' },
  );
  for (const tool of tools) {
    const { name, title, description, annotations } = tool;
    server.registerTool(name, { title, description, annotations, inputSchema: schemaOf(tool) }, async (input) => {
      try {
        // An object by its schema; what is in it the tool checks.
        const content = await tool.run(caller, (input ?? {}) as Readonly<Record<string, unknown>>);
        return { content: said(JSON.stringify(content)), structuredContent: content as Record<string, unknown> };
      } catch (error) {
        if (error instanceof ToolRefusal) return { content: said(error.message), isError: true };
        onDefect(error);
        return { content: said('The tool failed. Try again later.'), isError: true };
      }
    });
  }
  return server;
};
