import { queueMail } from '@grantlog/provisioning';
import { createLogger } from '@grantlog/runtime';
import { beforeEach } from 'vitest';
import { createMailer } from '../../src/mail/mailer.ts';
import { createMailServer, type MailServerRules } from './mail-server.ts';
import { useScene } from './scene.ts';
import { platform } from './world.ts';

/** Whom the mails of tests are for. */
export const to = 'ada.canary@mail.example';
const words = { to, subject: 'Subject-canary', text: 'Your code is 123-canary.\n\nBye' };

/** A mail's row, as tests look at it. */
export type OutboxRow = {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly sealed: Buffer | null;
  readonly due_in: number;
  readonly last_error: string | null;
};

/** The outbox in a scene: mails put in and looked at, mailers and a mail server, and what they logged and counted. */
export const useOutbox = () => {
  const scene = useScene();
  const lines: string[] = [];
  beforeEach(() => void lines.splice(0));
  const log = createLogger({ service: 'worker', level: 'trace', destination: { write: (line: string) => void lines.push(line) } });

  const queue = (more: Partial<Parameters<typeof queueMail>[1]> = {}): Promise<void> =>
    queueMail({ sealer: scene.world().sealer, pool: scene.world().api }, { platform, account: null, ...words, ...more });

  const outcomes: string[] = [];
  beforeEach(() => void outcomes.splice(0));
  const mailer = (smtpUrl: string | undefined, more: { readonly isDevelopment?: boolean } = {}) => {
    const made = createMailer({
      pool: scene.world().pool,
      sealer: scene.world().sealer,
      smtpUrl,
      mailFrom: 'Arlo Mail <no-reply@auth.example>',
      isDevelopment: false,
      log,
      onMail: (outcome, mails) => void outcomes.push(...Array.from({ length: mails }, () => outcome)),
      random: () => 0.5,
      ...more,
    });
    scene.atEnd(made.stop);
    return made;
  };
  const mailServer = async (rules?: MailServerRules) => {
    const server = await createMailServer(rules);
    scene.atEnd(server.close);
    return server;
  };

  const rows = async (): Promise<readonly OutboxRow[]> =>
    (
      await scene
        .world()
        .pool.query<OutboxRow>(
          `select id, state, attempts, sealed, extract(epoch from due_at - now())::float8 as due_in, last_error from mail order by created_at, id`,
        )
    ).rows;
  const makeDue = async (): Promise<void> => {
    await scene.world().pool.query(`update mail set due_at = now(), claimed_until = null where state = 'due'`);
  };

  return { scene, lines, outcomes, queue, mailer, mailServer, rows, makeDue };
};
