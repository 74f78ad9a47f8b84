import type { Projection } from '../projection/projection.ts';
import type { AddressDigests } from './entry.ts';
import { foldEvents, streamsNeeded } from './fold-events.ts';
import { readStanding, writeEntries, writeStreams } from './write-entries.ts';

/** The index as it is named: what its queries wait for and what is rebuilt. The functions of migration 0024 know the name as well. */
export const auditIndex = { name: 'audit-index', version: 1 } as const;

/**
 * The events of a platform by whom they concern, who caused them, from where and when: what the audit is asked through. Decisions
 * never read it.
 *
 * @param options.traceOf The trace that a correlation id names, or the id itself.
 */
export const createAuditIndex = (options: {
  readonly traceOf: (correlationId: string) => string;
  readonly digestAddresses: AddressDigests;
}): Projection => ({
  ...auditIndex,
  // An event costs an insert into a dozen indexes and little else, so that the round trips of small batches would count.
  batchLimit: 4_000,
  consume: async (client, target, events) => {
    const standing = await readStanding(client, target, streamsNeeded(events));
    const { entries, streams, addresses } = foldEvents(standing, events, options.traceOf);
    const { platform } = target;
    const digests = addresses.length === 0 ? new Map() : await options.digestAddresses(client, { platform, sealed: addresses });
    await Promise.all([writeEntries(client, target, entries, digests), writeStreams(client, target, streams)]);
  },
  deleteBelow: async (client, { platform, generation, limit }) => {
    const { rowCount } = await client.query(
      // Positions have no gaps, so a range of them is as many rows.
      `delete from audit_entry i using (
         select generation, position from audit_entry where (platform, generation) >= ($1, 0) and (platform, generation) < ($1, $2)
         order by platform, generation, position limit 1
       ) f where i.platform = $1 and i.generation = f.generation and i.position >= f.position and i.position < f.position + $3`,
      [platform, generation, limit],
    );
    const { rowCount: streams } = await client.query(
      `delete from audit_stream where platform = $1 and (generation, stream_id) in (
         select generation, stream_id from audit_stream where platform = $1 and generation < $2 limit $3)`,
      [platform, generation, limit],
    );
    return (rowCount ?? 0) + (streams ?? 0);
  },
});
