import type { PlatformId } from '@grantlog/eventsourcing';
import type { TestDatabase } from './test-database.ts';

export type EventRow = {
  readonly position: number;
  readonly stream: string;
  readonly version: number;
  readonly commit: string;
  readonly type: string;
};

/** Everything that stands in a platform's log, in order, as the superuser sees it. */
export const readAll = (database: TestDatabase, platform: PlatformId): Promise<readonly EventRow[]> =>
  database.asSuperuser<EventRow>(
    `select position, stream_id as stream, version, commit_id as commit, type from grantlog.event where platform = $1 order by position`,
    [platform],
  );
