import type { Sealer } from '@grantlog/crypto';
import type { EventLog } from '@grantlog/eventsourcing';
import { type Pool, transaction } from '@grantlog/postgres';
import { createPlatformDirectory } from '@grantlog/provisioning';
import { clientList, createAuditIndex, ensureGenerations, grantList, type Projection, subscriptionOf } from '@grantlog/read-models';
import { createAddressDigests } from '../../../services/worker/src/subscriptions/address-digests.ts';
import { consumeAll } from './consume-all.ts';

/** All that the worker keeps by `runProjections` (services/worker/src/compose.ts): a new one is added here. */
export const projectionsOf = ({ log, sealer }: { readonly log: EventLog; readonly sealer: Sealer }): readonly Projection[] => [
  grantList,
  clientList,
  createAuditIndex({
    // What is generated comes of requests, each with a traceparent.
    traceOf: (traceparent) => traceparent.split('-')[1] ?? traceparent,
    digestAddresses: createAddressDigests({ directory: createPlatformDirectory({ log, sealer }), sealer }),
  }),
];

/** Makes a projection from the first event on; says how many events it took. @throws where it has rows already. */
export const rebuild = async (pool: Pool, projection: Projection): Promise<number> => {
  const generations = await transaction(pool, (client) => ensureGenerations(client, projection));
  const [generation] = new Set(generations.map(({ live }) => live));
  if (generation === undefined) throw new Error(`${projection.name} has no generation`);
  return consumeAll(pool, [subscriptionOf(projection, generation)]);
};
