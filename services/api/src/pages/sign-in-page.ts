import type { PlatformDocument } from '@grantlog/domain';
import { html } from '../http/html.ts';
import type { Page } from '../http/page.ts';

/** The sign-in form. It says the same for every failure, so that it does not tell who has an account. */
export const signInPage = (view: {
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
  readonly csrf: string;
  readonly sealed: string | null;
  readonly clientName: string | null;
  readonly failed: boolean;
}): Page => {
  const { document, clientName } = view;
  const title = `Sign in to ${document.branding.displayName}`;
  return {
    title,
    branding: document.branding,
    body: html`<h1>${title}</h1>
${clientName === null ? null : html`<p><strong>${clientName}</strong> wants to use your account. You decide after signing in.</p>`}
${view.failed ? html`<p class="notice" role="alert">Email or password is wrong, or the account cannot be used. Try again.</p>` : null}
<form method="post" action="${view.path}/sign-in">
<input type="hidden" name="csrf" value="${view.csrf}">
${view.sealed === null ? null : html`<input type="hidden" name="request" value="${view.sealed}">`}
<label for="email">Email</label>
<input id="email" name="email" type="email" autocomplete="username" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button class="primary" type="submit">Sign in</button>
</form>`,
  };
};

/** After a sign-in that no app asked for. */
export const signedInPage = (document: PlatformDocument): Page => ({
  title: 'Signed in',
  branding: document.branding,
  body: html`<h1>You are signed in to ${document.branding.displayName}</h1><p>Go back to the app that you came from.</p>`,
});
