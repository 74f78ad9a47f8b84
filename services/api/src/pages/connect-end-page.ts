import type { PlatformDocument, SessionStatus } from '@grantlog/domain';
import type { SafeHtml } from '../http/html.ts';
import { html } from '../http/html.ts';
import type { Page } from '../http/page.ts';

/** What one person's answer came to. */
export type ConnectAnswer = 'connected' | 'by_account' | 'wrong_number';

type View = {
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
};

const back = (document: PlatformDocument): SafeHtml =>
  html`<p>You are back at ${document.branding.displayName}, and done here: you may close this page and go on where you came from.</p>`;

/** The last page of a session that its person has answered just now, or sees again. */
export const answeredPage = (
  view: View & {
    /** Its name, or words for it where it has none. */
    readonly agent: string;
    readonly answer: ConnectAnswer;
    /** Of the answer in the log, for the list that the page leads to; null where it stood before. */
    readonly position: number | null;
  },
): Page => {
  const { document, path, agent, answer, position } = view;
  const { branding } = document;
  switch (answer) {
    case 'connected':
      return {
        title: 'Connected',
        branding,
        body: html`<h1>Connected</h1>
<p>Your ${branding.displayName} account is connected to ${agent}, which goes on by itself.</p>
${back(document)}
<p>You can end this at any time under <a href="${path}/connections${position === null ? null : `?after=${position}`}">your connections</a>.</p>`,
      };
    case 'by_account':
      return {
        title: 'Not connected',
        branding,
        body: html`<h1>Not connected</h1>
<p>Nothing was given to ${agent}, which will be told so.</p>
${back(document)}`,
      };
    case 'wrong_number':
      return {
        title: 'That was another number',
        branding,
        body: html`<h1>That was another number</h1>
<p>Nothing was connected, and this link cannot be used any more.</p>
<p>If you have asked an agent for it, ask for a new link and compare the number. If somebody has sent you the link, you have just kept them out of your account.</p>
${back(document)}`,
      };
  }
};

const ends = {
  complete: {
    title: 'This link was used already',
    text: html`It works once. If it was you who used it, your agent is connected and there is nothing left to do.`,
  },
  denied: { title: 'This link was refused', text: html`Somebody has answered it with no, or with another number than the agent showed.` },
  expired: { title: 'This link has run out', text: html`It was not used in time. Ask your agent for a new one.` },
  revoked: { title: 'This link cannot be used any more', text: html`What began with it has ended. Ask your agent for a new one.` },
} as const satisfies Record<Exclude<SessionStatus, 'pending'>, { readonly title: string; readonly text: SafeHtml }>;

/** What became of a session about which nobody is asked any more. It says nothing of whose answer it was. */
export const sessionEndPage = ({ document, path, status }: View & { readonly status: Exclude<SessionStatus, 'pending'> }): Page => {
  const { title, text } = ends[status];
  return {
    title,
    branding: document.branding,
    body: html`<h1>${title}</h1>
<p>${text}</p>
<p>What is connected to your account stands under <a href="${path}/connections">your connections</a>. Otherwise you may close this page.</p>`,
  };
};

/** For a link that this platform never made. */
export const unknownLinkPage = (document: PlatformDocument): Page => ({
  title: 'This is no link of ours',
  branding: document.branding,
  body: html`<h1>This is no link of ours</h1>
<p>Perhaps a part of it is missing. Copy the whole link that your agent has given you, or ask it for a new one.</p>`,
});
