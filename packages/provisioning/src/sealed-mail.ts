import type { Sealer } from '@grantlog/crypto';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { NewMail } from '@grantlog/postgres';

/** A rendered mail: one recipient, plain text. */
export type Mail = { readonly to: string; readonly subject: string; readonly text: string };

/** A mail that may not be sent as it is: its words would be more than its words. Says which part, never what is in it. */
export class UnsendableMail extends Error {
  override readonly name = 'UnsendableMail';
}

type Place = { readonly platform: PlatformId; readonly id: string };

const associated = ({ platform, id }: Place): string => `mail ${platform} ${id}`;

const oneAddress = /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u;
const limits = { to: 320, subject: 200, text: 65_536 } as const;

/** A line break in a header begins another header, and whoever chose it would be its author (RFC 5322 §2.2). */
const checkMail = ({ to, subject, text }: Mail): void => {
  if (!oneAddress.test(to)) throw new UnsendableMail('the recipient of a mail is not one address');
  if (/\p{Cc}/u.test(subject)) throw new UnsendableMail('the subject of a mail has a line break or another control character');
  if (to.length > limits.to || subject.length > limits.subject || text.length > limits.text)
    throw new UnsendableMail(
      `a mail has at most ${limits.to} characters of recipient, ${limits.subject} of subject and ${limits.text} of text`,
    );
};

/**
 * Seals a mail for its row of the outbox, bound to platform and id.
 *
 * @throws UnsendableMail for more or less than one recipient, a control character in the subject, or too long a part.
 */
export const sealMail = (sealer: Sealer, mail: Place & Mail & { readonly account: StreamId | null }): NewMail => {
  const { platform, id, account, to, subject, text } = mail;
  checkMail(mail);
  const sealed = sealer.seal(Buffer.from(JSON.stringify({ to, subject, text } satisfies Mail), 'utf8'), associated({ platform, id }));
  return { platform, id, account, sealed };
};

/** The mail of a row. @throws SealBroken when it was sealed for another row or under a secret this process does not have. */
export const openMail = (sealer: Sealer, row: Place & { readonly sealed: Uint8Array }): Mail =>
  // What opens was sealed by sealMail for this row.
  JSON.parse(Buffer.from(sealer.open(row.sealed, associated(row))).toString('utf8')) as Mail;
