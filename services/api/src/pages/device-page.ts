import type { PlatformDocument } from '@grantlog/domain';
import { inWords } from '../access/exploration.ts';
import type { SafeHtml } from '../http/html.ts';
import { html } from '../http/html.ts';
import type { Page } from '../http/page.ts';

/** Why the form is shown again. A code that was never made, is used, or has run out reads the same. */
export type UserCodeProblem = 'no_code' | 'unknown' | { readonly retryAfter: number };

const wordsOf = (problem: UserCodeProblem): SafeHtml => {
  switch (problem) {
    case 'no_code':
      return html`A code has eight letters, like <code>WDJB-MJHT</code>. Look at it again.`;
    case 'unknown':
      return html`This code is not waiting for anybody: it was mistyped, used already, or has run out. Look at it again, or have your device make a new one.`;
    default:
      return html`Too many codes were wrong. Try again in ${inWords(problem.retryAfter)}.`;
  }
};

/** Asks for the code that a device or an agent shows. @see RFC 8628 §3.3 */
export const userCodePage = (view: {
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
  readonly csrf: string;
  readonly typed: string;
  readonly problem: UserCodeProblem | null;
}): Page => {
  const { document, path, csrf, typed, problem } = view;
  return {
    title: 'Connect a device',
    branding: document.branding,
    body: html`<h1>Connect a device to ${document.branding.displayName}</h1>
<p>Type the code that your device or your agent shows you. Never type one that somebody has sent you.</p>
${problem === null ? null : html`<p class="notice" role="alert">${wordsOf(problem)}</p>`}
<form method="post" action="${path}/device">
<input type="hidden" name="csrf" value="${csrf}">
<label for="user-code">Code</label>
<input id="user-code" name="user_code" value="${typed}" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required autofocus>
<button class="primary" type="submit">Continue</button>
</form>`,
  };
};
