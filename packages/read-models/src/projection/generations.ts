import type { PlatformId } from '@grantlog/eventsourcing';
import { type Database, type Transaction, transaction } from '@grantlog/postgres';
import type { Projection } from './projection.ts';

export type Generations = {
  readonly platform: PlatformId;
  readonly live: number;
  readonly liveVersion: number;
  readonly building: number | null;
  readonly buildingVersion: number | null;
};

const columns = `platform, live_generation as live, live_version as "liveVersion", building_generation as building, building_version as "buildingVersion"`;

/** The name under which one generation keeps its checkpoints. */
export const subscriptionName = (name: string, generation: number): string => `${name}@${generation}`;

/** Serialises whoever changes the generations of a projection; readers and consumers need no lock. */
const lockGenerations = async (client: Transaction, name: string): Promise<void> => {
  await client.query(`select pg_advisory_xact_lock(hashtextextended('grantlog.projection ' || $1, 0))`, [name]);
};

const readGenerations = async (client: Transaction, name: string): Promise<readonly Generations[]> => {
  const { rows } = await client.query<Generations>(`select ${columns} from projection where name = $1 order by platform`, [name]);
  return rows;
};

/** The generations of one platform. One that is new has nothing to keep: it begins with the newest that anybody has. */
export const generationsOf = async (
  client: Transaction,
  projection: Pick<Projection, 'name' | 'version'>,
  platform: PlatformId,
): Promise<Pick<Generations, 'live' | 'building'>> => {
  for (;;) {
    const { rows } = await client.query<Pick<Generations, 'live' | 'building'>>({
      name: 'grantlog.generations-of',
      text: 'select live_generation as live, building_generation as building from projection where name = $1 and platform = $2',
      values: [projection.name, platform],
    });
    if (rows[0] !== undefined) return rows[0];
    await client.query(
      `insert into projection (name, platform, live_generation, live_version)
       select $1, $2, coalesce(max(greatest(live_generation, building_generation)), 1), $3 from projection where name = $1
       on conflict do nothing`,
      [projection.name, platform, projection.version],
    );
  }
};

/** Gives every platform a row, and starts a rebuild wherever the live rows were made by older code than this. */
export const ensureGenerations = async (
  client: Transaction,
  projection: Pick<Projection, 'name' | 'version'>,
): Promise<readonly Generations[]> => {
  const { name, version } = projection;
  await lockGenerations(client, name);
  await client.query(
    `insert into projection (name, platform, live_generation, live_version)
     select $1, l.platform, coalesce((select max(greatest(live_generation, building_generation)) from projection where name = $1), 1), $2
     from log l where not exists (select 1 from projection p where p.name = $1 and p.platform = l.platform)
     on conflict do nothing`,
    [name, version],
  );
  await client.query(`${startBuilding} and live_version < $2 and coalesce(building_version, 0) < $2`, [name, version]);
  return readGenerations(client, name);
};

// One number for all platforms, above every number ever given: a checkpoint of an earlier generation is never met again.
const startBuilding = `update projection set building_version = $2,
     building_generation = (select max(greatest(live_generation, building_generation)) + 1 from projection where name = $1)
   where name = $1`;

/**
 * Starts building a projection anew beside the live rows, on every platform that is not building it already.
 * Readers see the live rows until the new ones have caught up.
 */
export const requestRebuild = async (pool: Database, projection: Pick<Projection, 'name' | 'version'>): Promise<void> => {
  await transaction(pool, async (client) => {
    await lockGenerations(client, projection.name);
    await client.query(`${startBuilding} and building_generation is null`, [projection.name, projection.version]);
  });
};

/**
 * Makes the building generation the live one if it stands where the live one stands. `position` is where the caller's
 * transaction leaves the building generation's checkpoint.
 *
 * The live checkpoint is locked first, so that no reader can see the live rows ahead of the ones swapped in.
 */
export const swapIfCaughtUp = async (
  client: Transaction,
  options: { readonly name: string; readonly platform: PlatformId; readonly generation: number; readonly position: number },
): Promise<boolean> => {
  const { name, platform, generation, position } = options;
  const found = await client.query<{ position: number }>(
    `select s.position from subscription s join projection p on p.name = $1 and p.platform = s.platform
     where s.platform = $2 and s.name = p.name || '@' || p.live_generation and p.building_generation = $3 for update of s`,
    [name, platform, generation],
  );
  const [live] = found.rows;
  if (live === undefined || position < live.position) return false;
  const { rowCount } = await client.query(
    `update projection set live_generation = building_generation, live_version = building_version, building_generation = null, building_version = null
     where name = $1 and platform = $2 and building_generation = $3`,
    [name, platform, generation],
  );
  return rowCount === 1;
};

/** Forgets checkpoints of generations that no platform uses any more. */
export const deleteOldCheckpoints = async (client: Transaction, name: string): Promise<void> => {
  await client.query(
    `delete from subscription s where s.name like $1 || '@%'
       and substr(s.name, length($1) + 2)::int < (select min(live_generation) from projection where name = $1)`,
    [name],
  );
};
