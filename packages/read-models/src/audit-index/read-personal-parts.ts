import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';

type Row = { readonly stream_id: StreamId; readonly version: number; readonly personal: Buffer };

/** The sealed part of an event, and where the event stands: it opens at no other place. */
export type PersonalPart = { readonly streamId: StreamId; readonly version: number; readonly sealed: Uint8Array };

/** The personal parts of events, still sealed, in one statement; an event that has none is left out. */
export const readPersonalParts = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly places: readonly { readonly streamId: StreamId; readonly version: number }[] },
): Promise<readonly PersonalPart[]> => {
  const { platform, places } = query;
  if (places.length === 0) return [];
  const { rows } = await pool.query<Row>({
    name: 'grantlog.audit-personal',
    text: 'select * from audit_personal($1, $2, $3)',
    values: [platform, places.map(({ streamId }) => streamId), places.map(({ version }) => version)],
  });
  return rows.map(({ stream_id: streamId, version, personal }) => ({ streamId, version, sealed: personal }));
};
