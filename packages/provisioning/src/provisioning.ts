import type { Passwords, Sealer } from '@grantlog/crypto';
import type { Actor, CommitId, EventLog } from '@grantlog/eventsourcing';
import type { Pool } from '@grantlog/postgres';
import type { PlatformDirectory } from './platform-directory.ts';

/** What every provisioning step works with. */
export type Provisioning = {
  readonly log: EventLog;
  readonly pool: Pool;
  readonly sealer: Sealer;
  readonly passwords: Passwords;
  readonly directory: PlatformDirectory;
};

/** Who asks, under which request, and because of which commit; of none where the request itself asks. */
export type By = { readonly actor: Actor; readonly correlationId: string; readonly causationId?: CommitId };
