import { uuidv7 } from '@grantlog/crypto';
import type { AccountId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { insertMail } from '@grantlog/postgres';
import type { Provisioning } from './provisioning.ts';
import { type Mail, sealMail } from './sealed-mail.ts';

/**
 * Puts a rendered mail into the outbox, sealed; the worker sends it, again and again until the mail server has taken it or days
 * have passed.
 *
 * @param mail.account whom it is about, so that their erasure takes it along; null where there is no account.
 * @param mail.subject at most 200 characters and no control character: text that people chose belongs into `text`.
 * @throws UnsendableMail
 */
export const queueMail = async (
  context: Pick<Provisioning, 'sealer' | 'pool'>,
  mail: Mail & { readonly platform: PlatformId; readonly account: AccountId | null },
): Promise<void> => insertMail(context.pool, sealMail(context.sealer, { ...mail, id: uuidv7(Date.now()) }));
