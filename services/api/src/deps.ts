import type { Sealer } from '@grantlog/crypto';
import type { Egress } from '@grantlog/egress';
import type { EventLog } from '@grantlog/eventsourcing';
import type { PlatformDirectory, Provisioning } from '@grantlog/provisioning';
import type { ServiceConfig } from '@grantlog/runtime';
import type { WaitingRoom } from './events/waiting-room.ts';
import type { MetadataDocuments } from './metadata-documents/metadata-documents.ts';
import type { HostRouter } from './platforms/host-router.ts';
import type { RemoteKeys } from './remote-keys/remote-keys.ts';
import type { KeyStore } from './tokens/key-store.ts';
import type { TraceRecorder } from './traces/recorder.ts';

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
  /** Clients that describe themselves by a document at their `client_id`. */
  readonly metadataDocuments: MetadataDocuments;
  /** Public keys of clients and identity providers, by the URL of their JWK set. */
  readonly remoteKeys: RemoteKeys;
  /** What happened on the way of clients that connect; no truth. */
  readonly traces: TraceRecorder;
  /** Where requests wait for events. */
  readonly waitingRoom: WaitingRoom;
  readonly provisioning: Provisioning;
};
