import { deleteDataKeys, type Subscription } from '@grantlog/postgres';

/**
 * Carries an erasure out: the account's data key goes in the same transaction as the checkpoint, and with it whatever
 * it opened, in the log, in snapshots and in copies of both. A restored log is erased again by reading on.
 */
export const createErasure = (): Subscription => ({
  name: 'erasure',
  handle: async (client, { platform, events }) => {
    const subjects = events.filter((event) => event.type === 'account.erased').map((event) => event.streamId);
    if (subjects.length > 0) await deleteDataKeys(client, { platform, subjects });
  },
});
