import { uuidv7 } from '@grantlog/crypto';
import type { EndpointRecovery } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';
import { listRecoveries, type Recovery } from '@grantlog/postgres';
import { recover, stepRecovery } from '../../src/webhooks/recovery.ts';
import type { Scene } from './scene.ts';
import { states } from './worker.ts';
import { platform, until } from './world.ts';

/** Recoveries of endpoints, carried out by hand. */
export const recoveriesOf = (scene: Scene) => {
  const asleep = { wake: async () => {} };

  /** Asks for a recovery in the log, as the API does, and waits until the dispatcher has begun it. */
  const request = async (endpoint: StreamId, more: Partial<EndpointRecovery> = {}): Promise<string> => {
    const recoveryId = uuidv7(Date.now());
    const data: EndpointRecovery = { recoveryId, from: 1, through: null, ratePerSecond: 500, includeDelivered: false, ...more };
    await scene.world().append(endpoint, { type: 'webhook_endpoint.recovery_requested', data });
    await until(
      () => of(endpoint),
      (recovery) => recovery?.id === recoveryId,
      3_000,
    );
    return recoveryId;
  };
  const of = async (endpoint: StreamId): Promise<Recovery | undefined> =>
    (await listRecoveries(scene.world().api, { platform, endpoint, limit: 1 }))[0];
  const go = () => recover({ pool: scene.world().pool, queue: asleep });
  const step = (endpoint: StreamId, id: string, limit?: number) => stepRecovery(scene.world().pool, { platform, endpoint, id }, limit);
  const dueOf = async (endpoint: StreamId) => {
    const { rows } = await scene
      .world()
      .pool.query<{ id: string; type: string; lane: number; line: string | null; position: number; subject: string }>(
        `select d.id, m.type, d.lane, d.line, d.position, m.subject from delivery d join message m on m.platform = d.platform and m.id = d.id
         where d.endpoint = $1 order by d.position`,
        [endpoint],
      );
    return rows;
  };
  /** Stops the endpoint's deliveries from going out, so that what is due can be looked at. */
  const close = (endpoint: StreamId) =>
    scene.world().pool.query(
      `insert into endpoint_work (platform, endpoint, open_until) values ($1, $2, now() + interval '1 hour')
         on conflict (platform, endpoint) do update set open_until = excluded.open_until`,
      [platform, endpoint],
    );
  const open = (endpoint: StreamId) =>
    scene.world().pool.query('update endpoint_work set open_until = null where endpoint = $1', [endpoint]);
  const allDelivered = (count: number) =>
    until(
      () => states(scene.world()),
      (found) => found['delivered'] === count && Object.keys(found).length === 1,
    );
  return { request, of, go, step, dueOf, close, open, allDelivered };
};
