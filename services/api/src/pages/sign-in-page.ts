import type { PlatformDocument } from '@grantlog/domain';
import { inWords } from '../access/exploration.ts';
import type { SafeHtml } from '../http/html.ts';
import { html } from '../http/html.ts';
import type { Page } from '../http/page.ts';
import type { OwnPage } from './second-step-seal.ts';

/** Why the form is shown again. Only who knew the password learns more than that it did not work. */
export type SignInProblem =
  | { readonly kind: 'wrong' }
  /** The password was right, and the account is a program's. */
  | { readonly kind: 'integration_account' }
  | { readonly kind: 'throttled'; readonly retryAfter: number };

const wordsOf = (problem: SignInProblem): SafeHtml => {
  switch (problem.kind) {
    case 'wrong':
      return html`Email or password is wrong, or the account cannot be used. Try again.`;
    case 'integration_account':
      return html`This is an integration account: it lets a program use the API with HTTP Basic and cannot sign in here. Sign in with an account of your own.`;
    case 'throttled':
      return html`Too many attempts have failed. Try again in ${inWords(problem.retryAfter)}. A browser in which you have signed in before is not held up by the attempts of others.`;
  }
};

/** The sign-in form. It says the same for every failure, so that it does not tell who has an account. */
export const signInPage = (view: {
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
  readonly csrf: string;
  readonly sealed: string | null;
  /** The page of ours that asked for the sign-in. */
  readonly back?: OwnPage | null;
  readonly clientName: string | null;
  /** Where the answer may lead, besides here: to the app of the request that waits. */
  readonly formTargets?: readonly string[];
  readonly failed: false | SignInProblem;
}): Page => {
  const { document, clientName } = view;
  const title = `Sign in to ${document.branding.displayName}`;
  return {
    title,
    branding: document.branding,
    ...(view.formTargets === undefined ? {} : { formTargets: view.formTargets }),
    body: html`<h1>${title}</h1>
${clientName === null ? null : html`<p><strong>${clientName}</strong> wants to use your account. It gets nothing that you have not allowed.</p>`}
${view.failed === false ? null : html`<p class="notice" role="alert">${wordsOf(view.failed)}</p>`}
<form method="post" action="${view.path}/sign-in">
<input type="hidden" name="csrf" value="${view.csrf}">
${view.sealed === null ? null : html`<input type="hidden" name="request" value="${view.sealed}">`}
${view.back == null ? null : html`<input type="hidden" name="back" value="${view.back}">`}
<label for="email">Email</label>
<input id="email" name="email" type="email" autocomplete="username" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button class="primary" type="submit">Sign in</button>
</form>
${document.signIn.registration === 'open' ? signUpForm(view) : null}`,
  };
};

/** A form and no link, so that the request that waits comes along and stands in no URL. */
const signUpForm = (view: { readonly path: string; readonly csrf: string; readonly sealed: string | null }): SafeHtml =>
  html`<form method="post" action="${view.path}/sign-up">
<input type="hidden" name="csrf" value="${view.csrf}">
${view.sealed === null ? null : html`<input type="hidden" name="request" value="${view.sealed}">`}
<button type="submit">Create an account</button>
</form>`;

/** After a sign-in that no app asked for. */
export const signedInPage = (document: PlatformDocument): Page => ({
  title: 'Signed in',
  branding: document.branding,
  body: html`<h1>You are signed in to ${document.branding.displayName}</h1><p>Go back to the app that you came from.</p>`,
});
