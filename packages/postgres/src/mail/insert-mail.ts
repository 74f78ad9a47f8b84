import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database, Transaction } from '../deliveries/database.ts';

/** A mail for the outbox. `sealed` holds recipient, subject and text; nothing of them is in the clear. */
export type NewMail = {
  readonly platform: PlatformId;
  readonly id: string;
  /** Whom it is about; erasing them deletes it. Null where there is no account. */
  readonly account: StreamId | null;
  readonly sealed: Uint8Array;
};

/** Puts a mail into the outbox, due at once. One that stands there under its id stays as it is. */
export const insertMail = async (client: Database | Transaction, mail: NewMail): Promise<void> => {
  await client.query({
    name: 'grantlog.insert-mail',
    text: 'insert into mail (platform, id, account, sealed) values ($1, $2, $3, $4) on conflict do nothing',
    values: [mail.platform, mail.id, mail.account, Buffer.from(mail.sealed)],
  });
};
