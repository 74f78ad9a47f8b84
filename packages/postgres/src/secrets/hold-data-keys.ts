import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Transaction } from '../deliveries/database.ts';

/**
 * The wrapped data keys of these subjects, none of which goes before the transaction ends: what is written by them is there when
 * whoever deletes them looks for it. One that is being deleted counts as gone. Worker role only.
 */
export const holdDataKeys = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly subjects: readonly StreamId[] },
): Promise<ReadonlyMap<StreamId, Uint8Array>> => {
  const { rows } = await client.query<{ subject: StreamId; sealed: Buffer }>({
    name: 'grantlog.hold-data-keys',
    text: 'select subject, sealed from data_key where platform = $1 and subject = any($2) for key share skip locked',
    values: [options.platform, options.subjects],
  });
  return new Map(rows.map(({ subject, sealed }) => [subject, sealed]));
};
