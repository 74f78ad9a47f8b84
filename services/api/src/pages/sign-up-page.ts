import type { PlatformDocument } from '@grantlog/domain';
import { inWords } from '../access/exploration.ts';
import { type PasswordProblem, passwordWords } from '../access/password-rules.ts';
import type { SafeHtml } from '../http/html.ts';
import { html } from '../http/html.ts';
import type { Page } from '../http/page.ts';
import { formTargetsOf } from './second-step-page.ts';
import type { Destination } from './second-step-seal.ts';

/** Why a form of the sign-up is shown again. None of it depends on who has an account. */
export type SignUpProblem = 'email' | 'name' | PasswordProblem | 'code' | { readonly retryAfter: number };

const wordsOf = (problem: SignUpProblem): SafeHtml => {
  switch (problem) {
    case 'email':
      return html`This is no email address.`;
    case 'name':
      return html`A name has 1 to 100 characters on one line.`;
    case 'password_short':
    case 'password_long':
    case 'password_is_email':
      return html`${passwordWords[problem]}`;
    case 'code':
      return html`This is not the code that was mailed. Look at it again.`;
    default:
      return html`That was too often. Try again in ${inWords(problem.retryAfter)}.`;
  }
};

const notice = (problem: SignUpProblem | null): SafeHtml | null =>
  problem === null ? null : html`<p class="notice" role="alert">${wordsOf(problem)}</p>`;

type View = {
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
  readonly csrf: string;
  readonly problem: SignUpProblem | null;
};

/** Asks who wants an account. */
export const signUpPage = (
  view: View & {
    /** The authorization request that waits, sealed. */
    readonly sealed: string | null;
    readonly email: string;
    readonly name: string;
  },
): Page => {
  const { branding } = view.document;
  const title = `Create an account at ${branding.displayName}`;
  return {
    title,
    branding,
    body: html`<h1>${title}</h1>
${notice(view.problem)}
<form method="post" action="${view.path}/sign-up">
<input type="hidden" name="csrf" value="${view.csrf}">
${view.sealed === null ? null : html`<input type="hidden" name="request" value="${view.sealed}">`}
<label for="email">Email</label>
<input id="email" name="email" type="email" autocomplete="username" value="${view.email}" required autofocus>
<label for="name">Name</label>
<input id="name" name="name" autocomplete="name" maxlength="100" value="${view.name}" required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="12" required>
<button class="primary" type="submit">Continue</button>
</form>
<p><a href="${view.path}/sign-in">I have an account</a></p>`,
  };
};

/** Asks for the code that was mailed: the same for everybody, whether the mail has one in it or not. */
export const signUpCodePage = (
  view: View & { readonly draft: string; readonly email: string; readonly destination: Destination },
): Page => ({
  title: 'Look into your mail',
  branding: view.document.branding,
  formTargets: formTargetsOf(view.destination),
  body: html`<h1>Look into your mail</h1>
<p>We have sent a mail to <strong>${view.email}</strong>. Type the code that is in it within 15 minutes.</p>
${notice(view.problem)}
<form method="post" action="${view.path}/sign-up/code">
<input type="hidden" name="csrf" value="${view.csrf}">
<input type="hidden" name="request" value="${view.draft}">
<label for="code">Code</label>
<input id="code" name="code" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" maxlength="20" required autofocus>
<button class="primary" type="submit">Create the account</button>
</form>`,
});

/** For who has shown the code of a mailbox that has an account by now: a form that was sent twice, most often. */
export const alreadySignedUpPage = (document: PlatformDocument, path: string): Page => ({
  title: 'The account exists',
  branding: document.branding,
  body: html`<h1>The account exists</h1><p>An account with this email was made already. <a href="${path}/sign-in">Sign in</a>, or go back to the app that you came from.</p>`,
});
