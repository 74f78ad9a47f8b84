export type McpReply = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The one JSON-RPC message of the answer; empty where it has none. */
  readonly body: Readonly<Record<string, unknown>>;
};

/** The one message of an answer, framed as a stream or not. */
const messageOf = (text: string): Readonly<Record<string, unknown>> => {
  const framed = /^data: (.*)$/m.exec(text)?.[1];
  try {
    return JSON.parse(framed ?? text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
};

/** Sends anything to the MCP server of an issuer; a text goes as it is. */
export const askMcp = async (
  issuer: string,
  message: unknown,
  { headers = {}, method = 'POST' }: { readonly headers?: Readonly<Record<string, string>>; readonly method?: string } = {},
): Promise<McpReply> => {
  const usual = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const response = await fetch(`${issuer}/mcp`, {
    method,
    headers: { ...(method === 'POST' ? usual : {}), ...headers },
    ...(method === 'POST' ? { body: typeof message === 'string' ? message : JSON.stringify(message) } : {}),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: messageOf(text) };
};

/** A call of a tool as clients of before 2026-07-28 send it. */
export const toolCall = (name: string, input: object = {}) => ({
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params: { name, arguments: input },
});

/** A request of 2026-07-28: every one says who asks and what it speaks. */
export const modernRequest = (method: string, params: object = {}) => ({
  jsonrpc: '2.0',
  id: 8,
  method,
  params: {
    ...params,
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'wire-agent', version: '0.9' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
});

/** The headers that repeat it for whoever routes by headers alone. */
export const modernHeaders = (method: string, name?: string) => ({
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': method,
  ...(name === undefined ? {} : { 'mcp-name': name }),
});
