import { type Pool, transaction } from '@grantlog/postgres';
import { clientList, ensureGenerations, grantList, type Projection, subscriptionOf } from '@grantlog/read-models';
import { consumeAll } from './consume-all.ts';

/** All that the worker keeps by `runProjections` (services/worker/src/compose.ts): a new one is added here. */
export const projections: readonly Projection[] = [grantList, clientList];

/** Makes a projection from the first event on; says how many events it took. @throws where it has rows already. */
export const rebuild = async (pool: Pool, projection: Projection): Promise<number> => {
  const generations = await transaction(pool, (client) => ensureGenerations(client, projection));
  const [generation] = new Set(generations.map(({ live }) => live));
  if (generation === undefined) throw new Error(`${projection.name} has no generation`);
  return consumeAll(pool, [subscriptionOf(projection, generation)]);
};
