import { deleteDataKeys, deleteMailOf, type Subscription } from '@grantlog/postgres';

/**
 * Carries an erasure out: the account's data key goes in the same transaction as the checkpoint, and with it whatever
 * it opened, in the log, in snapshots and in copies of both, and every mail about it, sent or not. A restored log is
 * erased again by reading on.
 */
export const createErasure = (): Subscription => ({
  name: 'erasure',
  handle: async (client, { platform, events }) => {
    const subjects = events.filter((event) => event.type === 'account.erased').map((event) => event.streamId);
    if (subjects.length === 0) return;
    await deleteDataKeys(client, { platform, subjects });
    await deleteMailOf(client, { platform, accounts: subjects });
  },
});
