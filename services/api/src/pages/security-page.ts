import { recoveryCodeCount } from '@grantlog/crypto';
import type { AccountRecord, PlatformDocument } from '@grantlog/domain';
import { type NewPasswordProblem, passwordWords } from '../access/password-rules.ts';
import type { SafeHtml } from '../http/html.ts';
import { html } from '../http/html.ts';
import type { Page } from '../http/page.ts';
import { type CodeNotice, codePart, hiddenPart, noticePart, recoveryCodesPart, seedPart } from './second-factor-parts.ts';

/** What the page says first: what was done, or why it was not. */
export type SecurityNotice =
  | CodeNotice
  | NewPasswordProblem
  | 'wrong_password'
  | 'password_differs'
  | 'password_changed'
  | 'required_by_platform'
  | 'not_offered'
  | 'changed_meanwhile'
  | 'no_second_factor'
  | 'already_enrolled'
  | 'removed';

/** Why a platform's second step cannot be switched off, and what a program does instead. */
export const requiredByPlatform = (document: PlatformDocument): string =>
  `${document.branding.displayName} requires a second step of people, so it cannot be switched off. You can move it to another app. A program that needs to go on without one uses an integration account, which an administrator makes for it.`;

const noticeOf = (notice: SecurityNotice | null, document: PlatformDocument): SafeHtml | null => {
  const say = (text: string): SafeHtml => html`<p class="notice" role="alert">${text}</p>`;
  switch (notice) {
    case null:
    case 'wrong_code':
    case 'code_used':
    case 'too_many_attempts':
      return noticePart(notice);
    case 'wrong_password':
      return say('The password is wrong. Nothing was changed.');
    case 'password_short':
    case 'password_long':
    case 'password_is_email':
    case 'password_unchanged':
      return say(`${passwordWords[notice]} Nothing was changed.`);
    case 'password_differs':
      return say('The new password was not typed the same twice. Nothing was changed.');
    case 'password_changed':
      return html`<p class="notice" role="status">Your password is changed. Every other browser has to sign in again.</p>`;
    case 'required_by_platform':
      return say(requiredByPlatform(document));
    case 'not_offered':
      return say(`${document.branding.displayName} offers no second step.`);
    case 'changed_meanwhile':
      return say('This page is too old, or something of your account has changed meanwhile. Begin again.');
    case 'no_second_factor':
      return say('Your account has no second step.');
    case 'already_enrolled':
      return say('Your account has a second step already. Move it to another app instead.');
    case 'removed':
      return html`<p class="notice" role="status">The second step is switched off. Signing in asks for your password alone.</p>`;
  }
};

export type SecurityView = {
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
  readonly csrf: string;
  readonly email: string;
  readonly record: Pick<AccountRecord, 'factors' | 'recoveryCodes'>;
  readonly notice: SecurityNotice | null;
};

/** Recovery codes that are still good. */
export const recoveryCodesLeft = ({ recoveryCodes }: SecurityView['record']): number =>
  recoveryCodes === null ? 0 : recoveryCodes.count - recoveryCodes.used.length;

/** Whose password it is, for password managers, and the password. */
const passwordPart = (id: string, email: string, label = 'Your password'): SafeHtml =>
  html`<input name="username" type="text" autocomplete="username" value="${email}" readonly hidden>
<label for="${id}-password">${label}</label>
<input id="${id}-password" name="password" type="password" autocomplete="current-password" required>`;

/** A code of the second step, typed once more. */
const anyCodePart = (id: string): SafeHtml =>
  html`<label for="${id}-code">A code of your app, or a recovery code</label>
<input id="${id}-code" name="code" type="text" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" maxlength="40" required>`;

/** Password and code, typed once more, and what they are for. */
const provedForm = (view: SecurityView, form: { readonly id: string; readonly target: string; readonly button: string }): SafeHtml =>
  html`<form method="post" action="${view.path}/security/${form.target}">
${hiddenPart({ csrf: view.csrf })}
${passwordPart(form.id, view.email)}
${anyCodePart(form.id)}
<button type="submit">${form.button}</button>
</form>`;

/** Another password, typed twice: nobody but an operator helps who has mistyped it. */
const passwordForm = (view: SecurityView): SafeHtml =>
  html`<details><summary>Change your password</summary>
<p>Every other browser has to sign in again then. Apps that you have allowed stay connected.</p>
<form method="post" action="${view.path}/security/password">
${hiddenPart({ csrf: view.csrf })}
${passwordPart('change', view.email, 'Your password now')}
${view.record.factors.length > 0 ? anyCodePart('change') : null}
<label for="new-password">New password, of at least 12 characters</label>
<input id="new-password" name="new_password" type="password" autocomplete="new-password" minlength="12" required>
<label for="new-password-again">The new password once more</label>
<input id="new-password-again" name="new_password_again" type="password" autocomplete="new-password" minlength="12" required>
<button type="submit">Change the password</button>
</form></details>`;

const withFactor = (view: SecurityView): SafeHtml => {
  const left = recoveryCodesLeft(view.record);
  const { mfa } = view.document.signIn;
  return html`<p><strong>On.</strong> Signing in asks for a code of your authenticator app. You have ${left} of ${recoveryCodeCount} recovery codes left.</p>
<details><summary>Make new recovery codes</summary>
<p>The ones that you have now are no longer taken then.</p>
${provedForm(view, { id: 'codes', target: 'recovery-codes', button: 'Make new codes' })}</details>
${mfa === 'off' ? null : html`<details><summary>Move to another app</summary>${provedForm(view, { id: 'move', target: 'totp/move', button: 'Continue' })}</details>`}
<details><summary>Switch it off</summary>
${mfa === 'required' ? html`<p>${requiredByPlatform(view.document)}</p>` : provedForm(view, { id: 'remove', target: 'totp/remove', button: 'Switch the second step off' })}</details>`;
};

const withoutFactor = (view: SecurityView): SafeHtml =>
  view.document.signIn.mfa === 'off'
    ? html`<p>${view.document.branding.displayName} offers no second step.</p>`
    : html`<p><strong>Off.</strong> With a second step nobody gets in who has found out your password. Every other browser has to sign in again then.</p>
<form method="post" action="${view.path}/security/totp">
${hiddenPart({ csrf: view.csrf })}
${passwordPart('begin', view.email)}
<button class="primary" type="submit">Set up an authenticator app</button>
</form>`;

/** How an account is secured, for its owner. */
export const securityPage = (view: SecurityView): Page => ({
  title: 'Security',
  branding: view.document.branding,
  body: html`<h1>Security of your ${view.document.branding.displayName} account</h1>
<p>You are signed in as <strong>${view.email}</strong>.</p>
${noticeOf(view.notice, view.document)}
<h2>Password</h2>
${passwordForm(view)}
<h2>Second step</h2>
${view.record.factors.length > 0 ? withFactor(view) : withoutFactor(view)}
<h2>Apps and agents</h2>
<p><a href="${view.path}/connections">What is connected to your account</a></p>
<h2>This browser</h2>
<form method="post" action="${view.path}/sign-out">
${hiddenPart({ csrf: view.csrf })}
<button type="submit">Sign out</button>
</form>`,
});

/** Shows a new seed and asks for a first code of it; nothing is written before that comes. */
export const enrolmentPage = (
  view: Omit<SecurityView, 'record'> & { readonly seed: Uint8Array; readonly sealed: string; readonly replaces: boolean },
): Page => ({
  title: 'Set up an authenticator app',
  branding: view.document.branding,
  body: html`<h1>${view.replaces ? 'Move to another app' : 'Set up an authenticator app'}</h1>
${noticeOf(view.notice, view.document)}
${seedPart(view.seed, view)}
<form method="post" action="${view.path}/security/totp/confirm">
${hiddenPart({ csrf: view.csrf, request: view.sealed })}
${codePart(false)}
<button class="primary" type="submit">Switch it on</button>
</form>
<p><a href="${view.path}/security">Cancel</a>: nothing has been changed yet.</p>`,
});

export const recoveryCodesPage = (view: Pick<SecurityView, 'document' | 'path'> & { readonly recoveryCodes: readonly string[] }): Page => ({
  title: 'Your recovery codes',
  branding: view.document.branding,
  body: html`<h1>Your recovery codes</h1>
${recoveryCodesPart(view.recoveryCodes)}
<p><a href="${view.path}/security">I have kept them: back to your security settings</a></p>`,
});
