import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer, type Resource } from './answer.ts';
import { mediaTypes, negotiate } from './negotiation.ts';
import { type Reply, refusal } from './reply.ts';
import { toXml } from './xml.ts';

const send = (request: IncomingMessage, response: ServerResponse, reply: Reply): void => {
  // Who accepts nothing of what there is still gets to read why.
  const media = negotiate(request.headers.accept) ?? mediaTypes[0];
  const text = media === 'application/json' ? `${JSON.stringify(reply.value, null, 2)}\n` : toXml(reply.root, reply.value);
  response.statusCode = reply.status;
  response.setHeader('Content-Type', media === 'application/json' ? media : `${media}; charset=utf-8`);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.setHeader('Vary', 'Accept');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  for (const [name, value] of reply.headers) response.appendHeader(name, value);
  if (!response.hasHeader('Cache-Control')) response.setHeader('Cache-Control', 'private, no-store');
  response.end(request.method === 'HEAD' ? undefined : text);
};

/** Answers requests to the resource of Arlo. `onDefect` hears of what ended in a 500. */
export const answerArlo =
  (resource: Resource, onDefect: (error: unknown) => void) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    answer(resource, request).then(
      (reply) => send(request, response, reply),
      (error: unknown) => {
        onDefect(error);
        send(request, response, refusal(500, { error: 'server_error', error_description: 'The request could not be answered' }));
      },
    );
  };
