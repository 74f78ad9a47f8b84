import type { RecordedEvent } from '@grantlog/eventsourcing';
import Type, { type Static } from 'typebox';
import { instant, nullable, position } from '../json-api/schemas.ts';

export const actorView = Type.Object({ kind: Type.Enum(['account', 'client', 'operator', 'system']), id: Type.String() });

/** An event as the log holds it. What is personal in it is sealed, and stays so. */
export const eventView = Type.Object({
  position,
  recordedAt: instant,
  type: Type.String(),
  schemaVersion: Type.Integer(),
  streamId: Type.String(),
  version: Type.Integer(),
  commitId: Type.String(),
  actor: actorView,
  correlationId: Type.String({ description: 'The traceparent of the request that caused it, or what it came of' }),
  causationId: nullable(Type.String({ description: 'The commit that led to it; null where a request made it directly' })),
  data: Type.Record(Type.String(), Type.Unknown()),
  hasPersonal: Type.Boolean({ description: 'Whether it has a part that is sealed under a data key' }),
});

export type EventView = Static<typeof eventView>;

/** What tokens are computed from, next to keys that are nowhere in the log: it helps no reader. */
const unshown: ReadonlySet<string> = new Set(['tokenNonce', 'tokenKeyId']);
const shown = (data: object): Record<string, unknown> => Object.fromEntries(Object.entries(data).filter(([name]) => !unshown.has(name)));

/** An event as it was read: of its personal part it is enough that there is one. */
type ReadEvent = Omit<RecordedEvent, 'platform' | 'personal'> &
  ({ readonly personal: Uint8Array | null } | { readonly hasPersonal: boolean });

export const eventViewOf = (event: ReadEvent): EventView => {
  const { position: at, recordedAt, type, schemaVersion, streamId, version, commitId, actor, correlationId, causationId } = event;
  return {
    position: at,
    recordedAt: new Date(recordedAt).toISOString(),
    type,
    schemaVersion,
    streamId,
    version,
    commitId,
    actor,
    correlationId,
    causationId,
    data: shown(event.data),
    hasPersonal: 'hasPersonal' in event ? event.hasPersonal : event.personal !== null,
  };
};
