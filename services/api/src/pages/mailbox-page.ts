import type { PlatformId } from '@grantlog/eventsourcing';
import type { MailState } from '@grantlog/postgres';
import type { Mail } from '@grantlog/provisioning';
import { html, type SafeHtml } from '../http/html.ts';

/** A mail as the mailbox shows it, and spells it in JSON. */
export type MailboxMail = Mail & {
  readonly platform: PlatformId;
  readonly id: string;
  readonly state: MailState;
  readonly created_at: string;
};

const fate = {
  due: 'waits for the worker',
  kept: 'kept here, for SMTP_URL is not set',
  sent: 'sent',
  failed: 'given up',
} as const satisfies Record<MailState, string>;

/** A line that is a link and nothing else can be followed. */
const lineOf = (line: string): SafeHtml => {
  const address = /^\s*(https?:\/\/\S+)\s*$/.exec(line)?.[1];
  return address === undefined ? html`${line}<br>` : html`<a href="${address}">${address}</a><br>`;
};

/** What was mailed, newest first, every part of it escaped. */
export const mailboxBody = (mails: readonly MailboxMail[]): SafeHtml => html`<h1>Mailbox</h1>
<p>The newest mails of all platforms. This page exists in development only.</p>
${mails.length === 0 ? html`<p class="notice" role="status">No mail yet.</p>` : null}
${mails.map(
  (mail) => html`<article>
<h2>${mail.subject}</h2>
<dl>
<dt>To</dt><dd>${mail.to}</dd>
<dt>From the platform</dt><dd>${mail.platform}, <time datetime="${mail.created_at}">${mail.created_at}</time> (${fate[mail.state]})</dd>
</dl>
<p>${mail.text.split(/\r?\n/).map(lineOf)}</p>
</article>
`,
)}`;
