import type { IncomingMessage } from 'node:http';
import type { EventLog, PlatformId } from '@grantlog/eventsourcing';
import { listPlatforms, type Pool } from '@grantlog/postgres';
import { foldPlatform, platformStreams } from './load-parties.ts';

/**
 * Platforms with an issuer of their own host: which host selects which. `Host` selects from this list and does nothing
 * else; a platform on it lives on its host alone, all others under their path.
 */
export type HostRouter = {
  /** The path under which the request is routed: with the platform in front where its host selects one. */
  readonly rewrite: (request: IncomingMessage) => string;
  /**
   * The origins under which clients know what the request's host selects: that host's and the issuer's. Null where the host
   * selects nothing.
   */
  readonly originsOf: (request: IncomingMessage) => readonly string[] | null;
  /** Whether the request came where the platform lives. */
  readonly isHome: (platform: PlatformId, request: IncomingMessage) => boolean;
  readonly stop: () => void;
};

type Selected = { readonly platform: PlatformId; readonly origins: readonly string[] };

/** Seconds until another process hears of a host that was added; routing alone depends on it, never a decision. */
const refreshEvery = 5;

export const createHostRouter = async (options: {
  readonly log: EventLog;
  readonly pool: Pool;
  readonly onError: (error: unknown) => void;
}): Promise<HostRouter> => {
  let platformOfHost: ReadonlyMap<string, Selected> = new Map();
  let housed: ReadonlySet<PlatformId> = new Set();
  const selected = new WeakMap<IncomingMessage, Selected>();

  const refresh = async (): Promise<void> => {
    const platforms = await listPlatforms(options.pool);
    const rows = await Promise.all(
      platforms.map(async (platform) => {
        const state = foldPlatform(await options.log.load(platform, platformStreams));
        if (state.status === 'none' || state.document.issuer === null) return [];
        const { issuer, hosts } = state.document;
        const { protocol } = new URL(issuer);
        return hosts.map((host) => [host, { platform, origins: [...new Set([`${protocol}//${host}`, issuer])] }] as const);
      }),
    );
    platformOfHost = new Map(rows.flat());
    housed = new Set(rows.flat().map(([, { platform }]) => platform));
  };
  await refresh().catch(options.onError);
  const timer = setInterval(() => void refresh().catch(options.onError), refreshEvery * 1000);
  timer.unref();

  return {
    rewrite: (request) => {
      const url = request.url ?? '/';
      const found = platformOfHost.get((request.headers.host ?? '').toLowerCase());
      if (found === undefined) return url;
      selected.set(request, found);
      return url === '/' ? `/${found.platform}` : `/${found.platform}${url}`;
    },
    originsOf: (request) => selected.get(request)?.origins ?? null,
    isHome: (platform, request) => !housed.has(platform) || selected.get(request)?.platform === platform,
    stop: () => clearInterval(timer),
  };
};
