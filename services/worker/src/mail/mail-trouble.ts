/** Why a mail was not sent, in words that hold nothing of the mail: what mail servers and their client write contains addresses. */
export type MailTrouble = { readonly words: string; readonly final: boolean };

const again = (words: string): MailTrouble => ({ words, final: false });
const never = (words: string): MailTrouble => ({ words, final: true });

const text = (error: object, member: string): string => {
  const found: unknown = Reflect.get(error, member);
  return typeof found === 'string' ? found : '';
};

/** Whether the same mail would be refused again: 503 is about the session and 530 about the login (RFC 5321 §4.2.1, RFC 4954 §6). */
const isPermanent = (reply: number): boolean => reply >= 500 && reply < 600 && reply !== 503 && reply !== 530;

const ofEnvelope = (command: string, reply: number | null): MailTrouble => {
  if (command === 'MAIL FROM') return again('the mail server refused the sender; look at MAIL_FROM');
  // Without a reply nobody asked the server: the address itself cannot be put into the envelope.
  if (reply === null) return never('the address of the recipient cannot be written to');
  if (command === 'RCPT TO')
    return isPermanent(reply) ? never('the mail server refused the recipient') : again('the mail server refused the recipient for now');
  return isPermanent(reply) ? never('the mail server refused the mail') : again('the mail server refused the mail for now');
};

/**
 * What an error of nodemailer means for the mail, by its codes alone; its text and its other members are not read.
 * Only a refusal of this recipient or this mail is final: whatever is wrong with server, login or network may be put right.
 */
export const troubleOf = (error: unknown): MailTrouble => {
  if (typeof error !== 'object' || error === null) return again('the mail client failed');
  const found: unknown = Reflect.get(error, 'responseCode');
  const reply = typeof found === 'number' ? found : null;
  switch (text(error, 'code')) {
    case 'EENVELOPE':
      return ofEnvelope(text(error, 'command'), reply);
    case 'EMESSAGE':
      return reply !== null && isPermanent(reply)
        ? never('the mail server refused the mail')
        : again('the mail server refused the mail for now');
    case 'EAUTH':
    case 'ENOAUTH':
    case 'EOAUTH2':
      return again('the mail server refused the login; look at SMTP_URL');
    case 'ETLS':
      return again('TLS with the mail server failed');
    case 'EDNS':
      return again('the host of SMTP_URL was not found');
    case 'ETIMEDOUT':
    case 'EABORT':
      return again('the mail server did not answer in time');
    case 'ECONNECTION':
    case 'ESOCKET':
    case 'EPROXY':
      return again('the connection to the mail server failed or broke');
    case 'EPROTOCOL':
      return again('what answers at SMTP_URL does not speak SMTP');
    default:
      return again('the mail client failed');
  }
};
