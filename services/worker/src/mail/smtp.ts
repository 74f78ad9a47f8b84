import { isLoopbackHost } from '@grantlog/runtime';
import { createTransport } from 'nodemailer';

/** A mail as the server of `SMTP_URL` gets it. */
type OutgoingMail = {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The same for each attempt at one mail, so that a doubled one is one message to whoever receives it (RFC 5322 §3.6.4). */
  readonly messageId: string;
};

export type Smtp = {
  /** Hands one mail over; settles within a minute. @throws nodemailer's errors, which hold addresses: log none of them. */
  readonly send: (mail: OutgoingMail, giveUp: AbortSignal) => Promise<void>;
  readonly close: () => void;
};

const second = 1_000;

/** Nodemailer's own log lines name sender and recipient, so the URL may not switch them on. */
const withoutLogging = (smtpUrl: string): URL => {
  const url = new URL(smtpUrl);
  for (const name of ['logger', 'debug', 'transactionLog']) url.searchParams.delete(name);
  return url;
};

/**
 * A pool of connections to the mail server of `SMTP_URL`. TLS from the first byte with `smtps:`, else by STARTTLS, which is
 * required unless the server is on this machine; `?requireTLS=false` or `?tls.…` in the URL say otherwise.
 */
export const openSmtp = (options: { readonly smtpUrl: string; readonly from: string; readonly connections: number }): Smtp => {
  const url = withoutLogging(options.smtpUrl);
  const transport = createTransport({
    url: url.href,
    pool: true,
    maxConnections: options.connections,
    // A connection that the server has closed meanwhile is replaced at once; every other failure is the outbox's to repeat.
    maxRequeues: 1,
    idleTimeout: 30 * second,
    requireTLS: url.protocol === 'smtp:' && !isLoopbackHost(url.hostname),
    connectionTimeout: 10 * second,
    greetingTimeout: 20 * second,
    socketTimeout: 30 * second,
    dnsTimeout: 10 * second,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as Parameters<typeof createTransport>[0]);
  return {
    send: async ({ to, subject, text, messageId }, giveUp) => {
      const message = {
        from: options.from,
        // An object is one recipient whatever is in it; a text would be parsed as a list.
        to: { name: '', address: to },
        subject,
        text,
        messageId,
        // No out-of-office reply to a mailbox that nobody reads (RFC 3834 §5).
        headers: { 'Auto-Submitted': 'auto-generated' },
        xMailer: false as const,
        // A server that trickles its replies outlives every timeout of the socket.
        signal: AbortSignal.any([giveUp, AbortSignal.timeout(60 * second)]),
      };
      await transport.sendMail(message);
    },
    close: () => transport.close(),
  };
};
