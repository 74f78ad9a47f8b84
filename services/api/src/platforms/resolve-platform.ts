import { parsePlatformId } from '@grantlog/domain';
import type { PlatformNames } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { UnknownPlatformRequested } from '../http/not-found.ts';

/**
 * The platform that the request's path names.
 *
 * @throws UnknownPlatformRequested answered with 404 JSON.
 */
export const resolvePlatform = async (
  { directory, hosts }: Pick<Deps, 'directory' | 'hosts'>,
  request: FastifyRequest,
): Promise<PlatformNames> => {
  const { platform: name = '' } = request.params as { readonly platform?: string };
  const platform = parsePlatformId(name);
  const names = platform === null || !hosts.isHome(platform, request.raw) ? null : await directory.open(platform);
  if (names === null) throw new UnknownPlatformRequested(name);
  return names;
};
