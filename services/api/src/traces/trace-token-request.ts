import type { RequestParameters } from '@grantlog/protocol';
import type { FastifyRequest } from 'fastify';
import type { tokenParameters } from '../grants/token-request.ts';
import { readToken } from '../tokens/read-token.ts';

/** What a token request says of the attempt that it belongs to, before anything of it is proved: which client, which grant. */
export const traceTokenRequest = (request: FastifyRequest, parameters: RequestParameters<(typeof tokenParameters)[number]>): void => {
  const client = parameters.get('client_id');
  const shown = parameters.get('code') ?? parameters.get('refresh_token');
  const claimed = shown === undefined ? null : readToken(shown);
  if (client !== undefined) request.traced.client = client;
  if (claimed !== null) request.traced.grant = claimed.grantId;
};
