import type { FastifySchema } from 'fastify';
import Type from 'typebox';
import { error } from './oauth-parts.ts';

/** Bodies pass in both directions as they are, so nothing can be said of them. */
export const passedOn: FastifySchema = {
  response: {
    default: { description: 'What the resource answers, refusals of its own included', content: { '*/*': { schema: Type.Unknown() } } },
    400: error('The path could be read in two ways, or there are two Authorization headers'),
    403: error('A page of another origin sent the HTTP Basic credentials that a browser remembers'),
    404: error('No resource of the platform lies here'),
    413: error('The body has more than 1 MiB'),
    502: error('The resource does not answer, or its certificate is not trusted'),
    503: error('The platform is suspended'),
    504: error('The resource takes too long to answer'),
  },
};

const rpc = (description: string) => ({
  description,
  content: {
    'application/json': {
      schema: Type.Object({
        jsonrpc: Type.Literal('2.0'),
        id: Type.Union([Type.String(), Type.Integer(), Type.Null()]),
        result: Type.Optional(Type.Object({})),
        error: Type.Optional(Type.Object({ code: Type.Integer(), message: Type.String(), data: Type.Optional(Type.Object({})) })),
      }),
    },
  },
});

/** The MCP server of a platform: one message, one answer. */
export const mcp: FastifySchema = {
  body: Type.Object({
    jsonrpc: Type.Literal('2.0'),
    id: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
    method: Type.String({
      description: 'As the Model Context Protocol has it: initialize, server/discover, tools/list, tools/call and others',
    }),
    params: Type.Optional(Type.Object({})),
  }),
  response: {
    200: rpc('The one answer; clients of before 2026-07-28 read it as the only event of a stream'),
    202: Type.Null({ description: 'The notification was taken' }),
    400: rpc('No JSON-RPC message, more than one, or a protocol version that is not spoken here'),
    401: rpc('The tool needs an access token for this server; the challenge names the metadata of the resource'),
    403: rpc('A page of this origin may not use the server'),
    404: error('The platform has no MCP server, or the server has no such method'),
    406: rpc('Clients of before 2026-07-28 accept application/json and text/event-stream'),
    413: rpc('The message has more than 65,536 bytes'),
    415: rpc('The body is not application/json'),
    503: error('The platform is suspended, or nothing can be read just now'),
  },
};
