import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export type ReceivedMail = { readonly from: string; readonly to: readonly string[]; readonly raw: string };

/** The value of a header of a received mail, unfolded; undefined where it has none. */
export const headerOf = (mail: ReceivedMail | undefined, name: string): string | undefined => {
  const [head = ''] = (mail?.raw ?? '').split('\r\n\r\n', 1);
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  return lines.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))?.slice(name.length + 2);
};

/** What a test's mail server says: a reply code for the recipient or the mail, and what happens before a mail is confirmed. */
export type MailServerRules = {
  readonly recipient?: (address: string) => number;
  readonly mail?: (received: ReceivedMail) => number;
  readonly beforeReply?: (received: ReceivedMail) => Promise<void> | void;
};

const refusal = (code: number, words: string): Error => Object.assign(new Error(words), { responseCode: code });

/** A real SMTP server on loopback that keeps what it accepts. */
export const createMailServer = async (rules: MailServerRules = {}) => {
  const received: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 200,
    onRcptTo: ({ address }, _, done) => {
      const code = rules.recipient?.(address) ?? 250;
      done(code === 250 ? null : refusal(code, `no such mailbox ${address}`));
    },
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const mail: ReceivedMail = {
          from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString('utf8'),
        };
        const code = rules.mail?.(mail) ?? 250;
        if (code === 250) received.push(mail);
        void Promise.resolve(rules.beforeReply?.(mail)).then(() => done(code === 250 ? null : refusal(code, `not ${mail.to.join()}`)));
      });
    },
  });
  // A client that is killed in the middle of a mail is no error of the server.
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    received,
    close: (): Promise<void> => new Promise((resolve) => server.close(() => resolve())),
  };
};
