import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Transaction } from './database.ts';

/** Forgets what the receivers of these endpoints answered; that they did, and how, stays known. */
export const blankResponses = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly endpoints: readonly StreamId[] },
): Promise<void> => {
  if (options.endpoints.length === 0) return;
  await client.query({
    name: 'grantlog.blank-responses',
    text: 'update attempt set response = null where platform = $1 and endpoint = any($2::uuid[]) and response is not null',
    values: [options.platform, options.endpoints],
  });
};
