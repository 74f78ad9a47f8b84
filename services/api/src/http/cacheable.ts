import { sha256 } from '@grantlog/crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Answers with a body that anybody may keep for so many seconds, and with 304 where who asks has it already. */
export const sendCacheable = (
  request: FastifyRequest,
  reply: FastifyReply,
  { mediaType, seconds, body }: { readonly mediaType: string; readonly seconds: number; readonly body: string },
): FastifyReply => {
  const etag = `"${sha256(body).toBase64({ alphabet: 'base64url', omitPadding: true })}"`;
  reply.headers({ 'cache-control': `public, max-age=${seconds}`, etag });
  // RFC 9110 §13.1.2: a list of tags, compared weakly.
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag) || known.includes('*')) return reply.code(304).send();
  return reply.type(mediaType).send(body);
};
