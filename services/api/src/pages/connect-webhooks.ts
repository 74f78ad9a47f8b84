import type { EndpointId } from '@grantlog/domain';
import { webhookEndpointDecider } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { Deps } from '../deps.ts';

/** The hosts that these endpoints of a load are told at, each once, in their order; deleted ones are told nothing. */
export const hostsIn = (loaded: Loaded, endpoints: readonly EndpointId[]): readonly string[] => {
  const states = endpoints.map((id) => fold(webhookEndpointDecider, loaded.stream(id)));
  // The rest of a URL may be a secret of its receiver.
  return [...new Set(states.flatMap((state) => ('url' in state ? [new URL(state.url).host] : [])))];
};

/** The same from the log as it is now. */
export const webhookHostsOf = async (
  deps: Pick<Deps, 'log'>,
  platform: PlatformId,
  endpoints: readonly EndpointId[],
): Promise<readonly string[]> => {
  if (endpoints.length === 0) return [];
  return hostsIn(
    await deps.log.load(
      platform,
      endpoints.map((streamId) => ({ streamId })),
    ),
    endpoints,
  );
};
