import {
  blankResponses,
  deleteDataKeys,
  deleteMailOf,
  forgetUnlinkedSessions,
  type Subscription,
  subjectsOfAccounts,
} from '@grantlog/postgres';

/** Longer than the retries of a delivery take: an agent that is told of the end is still told which conversation it was. */
const keptDays = 4;

const ends: ReadonlySet<string> = new Set(['session.denied', 'session.expired', 'session.revoked']);

/**
 * Carries an erasure out: the account's data key goes in the same transaction as the checkpoint, and with it whatever
 * it opened, in the log, in snapshots and in copies of both, and every mail about it, sent or not. So do the keys of the
 * agents' sessions that it was linked to, and of their webhooks, with what the receivers of these answered: it may repeat what
 * they were sent. A restored log is erased again by reading on.
 *
 * What an agent said of itself and its conversation to a session that ended without anybody goes a few days later.
 */
export const createErasure = (): Subscription => ({
  name: 'erasure',
  handle: async (client, { platform, events }) => {
    const accounts = events.filter((event) => event.type === 'account.erased').map((event) => event.streamId);
    if (accounts.length > 0) {
      const subjects = [...accounts, ...(await subjectsOfAccounts(client, { platform, accounts }))];
      await deleteDataKeys(client, { platform, subjects });
      await blankResponses(client, { platform, endpoints: subjects });
      await deleteMailOf(client, { platform, accounts });
    }
    const sessions = events.filter((event) => ends.has(event.type)).map((event) => event.streamId);
    if (sessions.length > 0) await forgetUnlinkedSessions(client, { platform, sessions, inDays: keptDays });
  },
});
