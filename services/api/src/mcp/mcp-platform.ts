import type { McpServerCard, PlatformDocument, PlatformState } from '@grantlog/domain';
import type { PlatformNames } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { PathNotOnPlatform } from '../http/require-switch.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

/** A platform that has an MCP server of its own. */
export type McpPlatform = {
  readonly names: PlatformNames;
  readonly status: Exclude<PlatformState['status'], 'none'>;
  readonly document: PlatformDocument;
  readonly issuer: string;
  readonly server: McpServerCard;
};

/**
 * The platform of the request's path, as the log has it now.
 *
 * @throws UnknownPlatformRequested, PathNotOnPlatform answered with 404.
 */
export const loadMcpPlatform = async (
  deps: Pick<Deps, 'config' | 'directory' | 'hosts' | 'log'>,
  request: FastifyRequest,
): Promise<McpPlatform> => {
  const names = await resolvePlatform(deps, request);
  const state = foldPlatform(await deps.log.load(names.platform, platformStreams));
  if (state.status === 'none' || state.document.mcpServer === null) throw new PathNotOnPlatform(`${names.platform} has no MCP server`);
  const { status, document } = state;
  return { names, status, document, issuer: issuerOf(document, deps.config.publicUrl), server: state.document.mcpServer };
};
