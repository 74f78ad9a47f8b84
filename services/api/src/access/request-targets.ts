import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';

/**
 * The URLs that clients know a request's by, without its query: the path as it came, under the public URL, or under the host that
 * selects the platform and that of its issuer. Never under a host that the request alone names.
 */
export const targetsOf = ({ config, hosts }: Pick<Deps, 'config' | 'hosts'>, request: FastifyRequest): readonly string[] => {
  const [path = '/'] = request.originalUrl.split('?', 1);
  const origins = hosts.originsOf(request.raw) ?? [config.publicUrl];
  return origins.map((origin) => origin + path);
};
