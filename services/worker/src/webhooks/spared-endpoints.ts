import type { EndpointKey } from '@grantlog/postgres';
import { type EndpointVersion, isSameVersion } from './endpoint-versions.ts';

/** Endpoints that this process left unserved for a reason of its own, such as a secret that it cannot open. */
export type SparedEndpoints = {
  /** Whether nothing is known to stand in the way of serving it. */
  readonly isClear: (endpoint: EndpointKey) => boolean;
  /** Whether it is left alone for now. Not once the log has something new of it: that may have put it right. */
  readonly isSpared: (endpoint: EndpointKey) => Promise<boolean>;
  /**
   * Leaves it alone for a while, and for twice as long each time that nothing could be sent in between. Says whether the
   * error is worth telling: it is another one than before, or was told long ago.
   */
  readonly spare: (endpoint: EndpointKey, of: { readonly error: unknown; readonly anySent: boolean }) => boolean;
  /** It was served without trouble. */
  readonly clear: (endpoint: EndpointKey) => void;
};

const second = 1_000;
const shortest = second;
const longest = 60 * second;
const toldAgainAfter = 600 * second;
const most = 10_000;

type Spared = {
  readonly waitMs: number;
  readonly until: number;
  readonly told: { readonly text: string; readonly at: number };
  /** As of before the last try; null while nobody has asked. */
  readonly version: EndpointVersion | null;
};

/**
 * @param of.now milliseconds of a clock that never steps back.
 */
export const createSparedEndpoints = (of: {
  readonly versionOf: (key: EndpointKey) => Promise<EndpointVersion>;
  readonly now: () => number;
}): SparedEndpoints => {
  const { versionOf, now } = of;
  const spared = new Map<string, Spared>();
  const keyOf = ({ platform, endpoint }: EndpointKey): string => `${platform}/${endpoint}`;
  return {
    isClear: (endpoint) => !spared.has(keyOf(endpoint)),
    isSpared: async (endpoint) => {
      const key = keyOf(endpoint);
      if (!spared.has(key)) return false;
      const version = await versionOf(endpoint);
      const known = spared.get(key);
      if (known === undefined) return false;
      if (known.version !== null && !isSameVersion(known.version, version)) {
        spared.delete(key);
        return false;
      }
      spared.set(key, { ...known, version });
      return now() < known.until;
    },
    spare: (endpoint, { error, anySent }) => {
      const key = keyOf(endpoint);
      const known = spared.get(key);
      const text = String(error);
      const isNews = known?.told.text !== text || now() - known.told.at >= toldAgainAfter;
      const waitMs = known === undefined || anySent ? shortest : Math.min(2 * known.waitMs, longest);
      const [oldest] = spared.keys();
      if (known === undefined && spared.size >= most && oldest !== undefined) spared.delete(oldest);
      spared.set(key, {
        waitMs,
        until: now() + waitMs,
        told: known === undefined || isNews ? { text, at: now() } : known.told,
        version: known?.version ?? null,
      });
      return isNews;
    },
    clear: (endpoint) => void spared.delete(keyOf(endpoint)),
  };
};
