import { SealBroken, type Sealer } from '@grantlog/crypto';
import {
  type ClaimedMail,
  claimMail,
  type Database,
  giveUpMail,
  isMailDue,
  keepMail,
  type MailOutcome,
  recordMail,
} from '@grantlog/postgres';
import { openMail } from '@grantlog/provisioning';
import type { Logger } from '@grantlog/runtime';
import { insist } from '../webhooks/insist.ts';
import { mailWaitsDays, nextMailIn } from './mail-schedule.ts';
import { type MailTrouble, troubleOf } from './mail-trouble.ts';
import { openSmtp, type Smtp } from './smtp.ts';

export type Mailer = {
  /**
   * Gives up what has waited for {@link mailWaitsDays}, then sends what is due; in development without a mail server it keeps
   * what is due instead. Returns when nothing more is due. For a timer.
   */
  readonly post: () => Promise<void>;
  /** Begins nothing more, gives what is on its way a little time, and closes the connections. */
  readonly stop: () => Promise<void>;
};

const second = 1_000;
const minute = 60 * second;

const connections = 5;
/** Longer than an attempt and its recording can take. */
const claimMs = 3 * minute;
const graceMs = 15 * second;
const reminderEvery = 10 * minute;
const lookForOldEvery = 10 * minute;

/** `Message-ID` of a mail: of its row alone, under the sender's domain. */
const messageIdOf = ({ platform, id }: Pick<ClaimedMail, 'platform' | 'id'>, from: string): string => {
  const domain = /@([^@>]+)>?$/.exec(from)?.[1] ?? 'localhost';
  return `<${platform}.${id}@${domain}>`;
};

/**
 * The sender of the outbox; any number of workers share it. An attempt is claimed, made and recorded; where a worker
 * dies between the last two, the mail goes out once more under the same Message-ID.
 */
export const createMailer = (context: {
  readonly pool: Database;
  readonly sealer: Sealer;
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
  readonly isDevelopment: boolean;
  readonly log: Pick<Logger, 'warn' | 'error'>;
  readonly onMail: (outcome: 'sent' | 'kept' | 'retried' | 'failed' | 'expired', mails: number) => void;
  readonly random?: () => number;
  /** Milliseconds for which a claim holds. */
  readonly claimMs?: number;
}): Mailer => {
  const { pool, sealer, smtpUrl, mailFrom, isDevelopment, log, onMail } = context;
  const smtp: Smtp | null = smtpUrl === undefined ? null : openSmtp({ smtpUrl, from: mailFrom, connections });
  const giveUp = new AbortController();
  let stopping = false;
  let remindedAt = Number.NEGATIVE_INFINITY;
  let lookedForOldAt = Number.NEGATIVE_INFINITY;
  let working: Promise<void> = Promise.resolve();

  const attempt = async (server: Smtp, claimed: ClaimedMail): Promise<MailTrouble | null> => {
    try {
      const mail = openMail(sealer, claimed);
      await server.send({ ...mail, messageId: messageIdOf(claimed, mailFrom) }, giveUp.signal);
      return null;
    } catch (error) {
      // Another worker may have the secret, or this one after its next start.
      if (error instanceof SealBroken) return { words: 'GRANTLOG_SECRET holds no secret that opens the mail', final: false };
      return troubleOf(error);
    }
  };

  const outcomeOf = (trouble: MailTrouble | null, claimed: ClaimedMail): MailOutcome => {
    if (trouble === null) return { kind: 'sent' };
    const retryInMs = trouble.final ? null : nextMailIn({ attempt: claimed.attempt, random: (context.random ?? Math.random)() });
    return retryInMs === null ? { kind: 'failed', error: trouble.words } : { kind: 'due', error: trouble.words, retryInMs };
  };

  const handle = async (server: Smtp, claimed: ClaimedMail): Promise<void> => {
    const { platform, id, attempt: number } = claimed;
    const outcome = outcomeOf(await attempt(server, claimed), claimed);
    const record = { platform, id, attempt: number, outcome, keepSent: isDevelopment };
    // What was sent and is not recorded goes out twice, so a short trouble of the database is sat out.
    const counted = await insist(() => recordMail(pool, record), { forMs: 10 * second });
    if (!counted) return;
    const where = { platform, mail: id, attempt: number };
    switch (outcome.kind) {
      case 'sent':
        onMail('sent', 1);
        return;
      case 'due':
        onMail('retried', 1);
        log.warn({ ...where, reason: outcome.error, retryInMs: outcome.retryInMs }, 'a mail could not be sent and is tried again');
        return;
      case 'failed':
        onMail('failed', 1);
        log.error({ ...where, reason: outcome.error }, 'a mail was given up');
        return;
    }
  };

  const sendAll = async (server: Smtp): Promise<void> => {
    while (!stopping) {
      const claimed = await claimMail(pool, { limit: connections, claimMs: context.claimMs ?? claimMs });
      if (claimed.length === 0) return;
      const ended = await Promise.allSettled(claimed.map((mail) => handle(server, mail)));
      for (const each of ended) if (each.status === 'rejected') throw each.reason;
    }
  };

  const keepAll = async (): Promise<void> => {
    const kept = await keepMail(pool);
    if (kept > 0) onMail('kept', kept);
  };

  const remind = async (): Promise<void> => {
    if (performance.now() - remindedAt < reminderEvery || !(await isMailDue(pool))) return;
    remindedAt = performance.now();
    log.error(
      { days: mailWaitsDays },
      'mails are waiting, and SMTP_URL is not set: set it to the mail server, and those are sent that were queued less than so many days ago',
    );
  };

  const giveUpOld = async (): Promise<void> => {
    if (performance.now() - lookedForOldAt < lookForOldEvery) return;
    const old = await giveUpMail(pool, { days: mailWaitsDays });
    lookedForOldAt = performance.now();
    if (old === 0) return;
    onMail('expired', old);
    log.error({ mails: old, days: mailWaitsDays }, 'mails were given up: so many days after being queued they were not sent');
  };

  const work = async (): Promise<void> => {
    if (smtp === null && isDevelopment) return keepAll();
    // First: whoever sets SMTP_URL late would send codes and links that have long ended.
    await giveUpOld();
    return smtp === null ? remind() : sendAll(smtp);
  };

  return {
    post: () => {
      if (!stopping) working = work();
      return working;
    },
    stop: async () => {
      stopping = true;
      const timer = setTimeout(() => giveUp.abort(), graceMs);
      // Whoever called `post` is told of its error.
      await working.catch(() => {});
      clearTimeout(timer);
      smtp?.close();
    },
  };
};
