import type { PlatformId } from '@grantlog/eventsourcing';
import type pg from 'pg';

/** Opens a platform's log; says whether this call did. The platform exists once an event stands in it. */
export const openLog = async (
  client: pg.Pool | pg.ClientBase,
  options: { readonly platform: PlatformId; readonly lineage: string },
): Promise<boolean> => {
  const { rowCount } = await client.query('insert into log (platform, lineage) values ($1, $2) on conflict do nothing', [
    options.platform,
    options.lineage,
  ]);
  return rowCount === 1;
};

/** Every platform that has a log, by name. */
export const listPlatforms = async (client: pg.Pool | pg.ClientBase): Promise<readonly PlatformId[]> => {
  const { rows } = await client.query<{ platform: PlatformId }>({
    name: 'grantlog.platforms',
    text: 'select platform from log order by platform',
  });
  return rows.map((row) => row.platform);
};
