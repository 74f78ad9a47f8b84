import type { Sealer } from '@grantlog/crypto';
import type { Egress } from '@grantlog/egress';
import type { EventLog } from '@grantlog/eventsourcing';
import type { PlatformDirectory, Provisioning } from '@grantlog/provisioning';
import type { ServiceConfig } from '@grantlog/runtime';
import type { HostRouter } from './platforms/host-router.ts';
import type { KeyStore } from './tokens/key-store.ts';

/** What endpoints work with; built once in compose.ts. */
export type Deps = {
  readonly config: ServiceConfig;
  readonly log: EventLog;
  readonly sealer: Sealer;
  readonly directory: PlatformDirectory;
  readonly keys: KeyStore;
  readonly hosts: HostRouter;
  /** The one way out to what strangers name. */
  readonly egress: Egress;
  readonly provisioning: Provisioning;
};
