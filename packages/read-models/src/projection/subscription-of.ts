import type { Subscription } from '@grantlog/postgres';
import { generationsOf, subscriptionName, swapIfCaughtUp } from './generations.ts';
import type { Projection } from './projection.ts';

/** One generation of a projection as a consumer of the log; where it is the one being built, it swaps itself in. */
export const subscriptionOf = (projection: Projection, generation: number): Subscription => ({
  name: subscriptionName(projection.name, generation),
  ...(projection.batchLimit === undefined ? {} : { batchLimit: projection.batchLimit }),
  handle: async (client, { platform, events }) => {
    const generations = await generationsOf(client, projection, platform);
    // Swapped out on this platform already, though not yet on another: nobody reads these rows.
    if (generations.live !== generation && generations.building !== generation) return;
    await projection.consume(client, { platform, generation }, events);
    const position = events.at(-1)?.position ?? 0;
    if (generations.building === generation) await swapIfCaughtUp(client, { name: projection.name, platform, generation, position });
  },
});
