import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Guard } from '@grantlog/guard';
import { type NodeIncomingMessageLike, toWebRequest } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { readBody } from '../read-body.ts';
import { createAlongServer } from './mcp-server.ts';
import type { Safes } from './safes.ts';
import { type Tool, toolsOf } from './tools.ts';

export type Along = {
  readonly guard: Guard;
  readonly safes: Safes;
  /** The public URL of the resource, without a slash at its end. */
  readonly base: string;
  readonly preview: boolean;
};

type Message = Readonly<Record<string, unknown>>;

const maxBytes = 65_536;
const place = /^\/along\/mcp\/v1(?:\/([A-Za-z0-9._~-]{1,64}))?$/;

/** Pages of any origin may use the server: they show a token, and browsers add nothing to it by themselves. */
const open = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
  'cache-control': 'no-store',
};
const preflight = {
  ...open,
  'access-control-allow-methods': 'POST, OPTIONS',
  'access-control-allow-headers': 'Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, DPoP',
  'access-control-max-age': '86400',
};

const sendJson = (response: ServerResponse, status: number, value: object): void => {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(`${JSON.stringify(value)}\n`);
};

const sendRpcError = (response: ServerResponse, status: number, code: number, message: string): void =>
  sendJson(response, status, { jsonrpc: '2.0', id: null, error: { code, message } });

const parse = (text: string): Message | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Message) : null;
  } catch {
    return null;
  }
};

/** Everything needs to be allowed to read; a call of a tool, what the tool needs. */
const scopeFor = (message: Message, tools: readonly Tool[]): Tool['scope'] => {
  const params = message['params'];
  const name = typeof params === 'object' && params !== null && 'name' in params ? params.name : undefined;
  const called = message['method'] === 'tools/call' ? tools.find((tool) => tool.name === name) : undefined;
  return called?.scope ?? 'vault:read';
};

const bearerOf = (request: IncomingMessage): string => /^(?:bearer|dpop) +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';

const serve = async (
  along: Along,
  safeId: string | null,
  request: IncomingMessage,
  response: ServerResponse,
  onDefect: (error: unknown) => void,
) => {
  const { guard: whole, base, safes, preview } = along;
  const body = await readBody(request, maxBytes);
  if (body.kind === 'too_large') {
    response.setHeader('connection', 'close');
    return sendRpcError(response, 413, -32_000, `A message has at most ${maxBytes} bytes`);
  }
  const message = body.kind === 'text' ? parse(body.text) : null;
  if (message === null) return sendRpcError(response, 400, -32_700, 'Send one JSON-RPC message, and no batch');

  const tools = toolsOf(preview);
  // A resource for each Safe: a token for one of them is no token for another, nor for all.
  const url = safeId === null ? base : `${base}/${safeId}`;
  const guard = safeId === null ? whole : whole.at(url);
  const outcome = await guard.check({
    authorization: request.headersDistinct['authorization'],
    scope: scopeFor(message, tools),
    clientAddress: undefined,
    request,
    url,
  });
  for (const [name, value] of outcome.headers) {
    if (name.toLowerCase() === 'cache-control') response.setHeader(name, value);
    else response.appendHeader(name, value);
  }
  if (outcome.kind === 'refused') return sendJson(response, outcome.status, outcome.body);
  if (outcome.scheme === 'Basic') throw new Error('the platform takes no HTTP Basic, and the guard allowed it');

  const { context, contexts } = outcome;
  const caller = {
    guard,
    token: bearerOf(request),
    safes,
    allowed: contexts.map(({ id }) => id),
    selected: safeId ?? context,
    pinned: safeId !== null,
  };
  const handler = createMcpHandler(() => createAlongServer(tools, caller, onDefect));
  const answer = await handler.fetch(await toWebRequest(request as NodeIncomingMessageLike, message), { parsedBody: message });
  response.statusCode = answer.status;
  answer.headers.forEach((value, name) => void response.setHeader(name, value));
  response.end(await answer.text());
};

/**
 * Answers requests to Along's MCP server: `/along/mcp/v1` for whatever Safe is selected, `/along/mcp/v1/{safeId}` for that one.
 * Without sessions and streams; every message needs a token. `onDefect` hears of what ended in a 500.
 *
 * @see MCP 2026-07-28, authorization and streamable HTTP
 */
export const answerAlong =
  (along: Along, onDefect: (error: unknown) => void) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const found = place.exec((request.url ?? '').split('?')[0] ?? '');
    if (request.method === 'OPTIONS' && found !== null) return void response.writeHead(204, preflight).end();
    for (const [name, value] of Object.entries(open)) response.setHeader(name, value);
    if (found === null) {
      sendJson(response, 404, { error: 'not_found', error_description: `Nothing is here. The server is ${along.base}` });
      return;
    }
    if (request.method !== 'POST') {
      response.setHeader('allow', 'POST');
      sendJson(response, 405, { error: 'method_not_allowed', error_description: 'Send JSON-RPC messages by POST; there are no streams' });
      return;
    }
    serve(along, found[1] ?? null, request, response, onDefect).catch((error: unknown) => {
      onDefect(error);
      if (!response.headersSent) sendRpcError(response, 500, -32_603, 'The request could not be answered');
      else response.destroy();
    });
  };
