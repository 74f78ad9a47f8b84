import { OAuthError } from '@grantlog/protocol';
import type { FastifyRequest } from 'fastify';

/**
 * The form of a request; OAuth endpoints take nothing else (RFC 6749 §3.2).
 *
 * @throws OAuthError `invalid_request` for another content type.
 */
export const formBody = (request: FastifyRequest): Readonly<Record<string, unknown>> => {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';', 1);
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new OAuthError('invalid_request', { status: 415, description: 'Send the parameters as application/x-www-form-urlencoded' });
  }
  return (request.body ?? {}) as Record<string, unknown>;
};
