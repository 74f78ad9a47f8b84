import { OAuthError } from '@grantlog/protocol';
import { type NodeIncomingMessageLike, toWebRequest } from '@modelcontextprotocol/node';
import { CLIENT_INFO_META_KEY, createMcpHandler, isJsonContentType } from '@modelcontextprotocol/server';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readShownToken } from '../access/shown-token.ts';
import { beginningProgram, visitorOf } from '../access/visitor.ts';
import type { AgentContext } from '../agent/context.ts';
import type { Deps } from '../deps.ts';
import { admit } from './gate.ts';
import { isDeeperThan, isObject, rpcCodes, rpcIdOf, sendRpcError } from './json-rpc.ts';
import { loadMcpPlatform, type McpPlatform } from './mcp-platform.ts';
import { createAgentMcpServer } from './mcp-server.ts';
import { isAcceptedOrigin } from './origin.ts';

type Message = Readonly<Record<string, unknown>>;

/** No message of the protocol is half as deep. */
const deepest = 64;

/** By which program: what an MCP client calls itself where its requests say so (2026-07-28), else the User-Agent. */
const programOf = (request: FastifyRequest, message: Message): string => {
  const params = isObject(message['params']) ? message['params'] : {};
  const meta = isObject(params['_meta']) ? params['_meta'] : {};
  const client = isObject(meta[CLIENT_INFO_META_KEY]) ? meta[CLIENT_INFO_META_KEY] : {};
  const named = [client['name'], client['version']].filter((part) => typeof part === 'string').join(' ');
  const program = named === '' ? visitorOf(request).userAgent : named;
  return beginningProgram(request, program.replaceAll(/\p{Cc}|\p{Cs}/gu, '\ufffd'));
};

/** Reads a body as text into the one message that it may be, or answers why not. */
const readMessage = (request: FastifyRequest, reply: FastifyReply): Message | null => {
  if (!isJsonContentType(request.headers['content-type'] ?? null)) {
    sendRpcError(reply, { status: 415, code: rpcCodes.refused, message: 'Send a JSON-RPC message with Content-Type: application/json' });
    return null;
  }
  let message: unknown;
  try {
    message = JSON.parse(typeof request.body === 'string' ? request.body : '');
  } catch {
    sendRpcError(reply, { status: 400, code: rpcCodes.parseError, message: 'The body is no JSON' });
    return null;
  }
  const refuse = (words: string): null => {
    sendRpcError(reply, { status: 400, code: rpcCodes.invalidRequest, message: words, id: rpcIdOf(message) });
    return null;
  };
  // Batches left the protocol with 2025-06-18, and would carry any number of calls past whoever counts requests.
  if (!isObject(message)) return refuse('Send one JSON-RPC message in each request: an object, and no batch');
  // The library reads by recursion, and the stack would end before the body does.
  if (isDeeperThan(deepest, message)) return refuse(`The message is nested deeper than ${deepest} levels`);
  return message;
};

/** The library's answer to one message. What failed in a tool is thrown: the error handler words and logs it. */
const serve = async (
  platform: McpPlatform,
  context: AgentContext,
  { request, message }: { readonly request: FastifyRequest; readonly message: Message },
): Promise<{ readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }> => {
  const failures: unknown[] = [];
  const handler = createMcpHandler(() => createAgentMcpServer(platform, context, (error) => void failures.push(error)), {
    onerror: (error) => request.log.debug({ reason: error.message }, 'refused by the MCP library'),
  });
  // Node's own type differs in how it leaves members out.
  const asked = await toWebRequest(request.raw as NodeIncomingMessageLike, message);
  const response = await handler.fetch(asked, { parsedBody: message });
  // Whole: a server without subscriptions has said everything with its result, also where that is framed as a stream.
  const body = await response.text();
  if (failures.length > 0) throw failures[0];
  return { status: response.status, headers: Object.fromEntries(response.headers), body };
};

/**
 * The MCP server of a platform (streamable HTTP, 2026-07-28 and what came before it), without sessions: every request
 * stands for itself, on any node.
 *
 * The library answers the protocol; who is let in is decided before it sees a message.
 */
export const mcpEndpoint =
  (deps: Deps) =>
  async (app: FastifyInstance): Promise<void> => {
    const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const platform = await loadMcpPlatform(deps, request);
      const { origin, host } = request.headers;
      if (!isAcceptedOrigin({ origin, host, issuer: platform.issuer })) {
        request.log.info({ reason: 'a page of an origin that is not accepted' }, 'refused');
        return sendRpcError(reply, { status: 403, code: rpcCodes.refused, message: 'Pages of this origin may not use this server' });
      }
      const message = readMessage(request, reply);
      if (message === null) return reply;
      const id = rpcIdOf(message);
      // Nothing here ever changes while a stream is open, and a stream would stay open for whoever asks.
      if (message['method'] === 'subscriptions/listen')
        return sendRpcError(reply, { status: 404, code: rpcCodes.methodNotFound, message: 'There is nothing to subscribe to here', id });
      // Not 401: clients in the field throw their tokens away on it, and a suspension ends.
      if (platform.status === 'suspended')
        throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
      const caller = {
        deps,
        names: platform.names,
        from: { address: visitorOf(request).address, userAgent: programOf(request, message) },
        requestId: request.id,
        correlationId: request.traceparent,
      };
      const admission = await admit(platform, caller, { message, shown: readShownToken(deps, request) });
      if (admission.outcome === 'refused') {
        const { error, challenge } = admission;
        request.log.info({ reason: error.reason, error: error.code }, 'refused');
        reply.header('www-authenticate', challenge);
        return sendRpcError(reply, { status: 401, code: rpcCodes.refused, message: error.message, data: error.body, id });
      }
      const { status, headers, body } = await serve(platform, { ...caller, shown: admission.shown }, { request, message });
      reply.code(status).headers({ ...headers, 'cache-control': 'no-store' });
      return body === '' ? reply.send() : reply.send(body);
    };

    await app.register(async (scope) => {
      // A scope of its own: what is no JSON gets an answer that an MCP client can read.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'string' }, async (_request: FastifyRequest, body: string | Buffer) => body);
      scope.setErrorHandler((error: FastifyError, request, reply) => {
        if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE') throw error;
        request.log.info({ reason: error.message }, 'refused');
        return sendRpcError(reply, { status: 413, code: rpcCodes.refused, message: 'The message is larger than 65,536 bytes' });
      });
      scope.post('/:platform/mcp', { config: { authentication: 'tool', errors: 'oauth', openToBrowsers: true } }, answer);
    });
  };
