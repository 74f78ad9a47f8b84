import { otpauthUri, totpSecretText } from '@grantlog/crypto';
import type { PlatformDocument } from '@grantlog/domain';
import type { SafeHtml } from '../http/html.ts';
import { html } from '../http/html.ts';
import { qrCode } from './qr-code.ts';

/** Why a page with a code is shown once more. */
export type CodeNotice = 'wrong_code' | 'code_used' | 'too_many_attempts';

const notices = {
  wrong_code: 'This code is wrong. Codes change every 30 seconds; the clock of your phone has to be right.',
  code_used: 'This code was used already. Wait for the next one.',
  too_many_attempts: 'Too many attempts have failed. Wait a few minutes, then try again.',
} as const satisfies Record<CodeNotice, string>;

export const noticePart = (notice: CodeNotice | null): SafeHtml | null =>
  notice === null ? null : html`<p class="notice" role="alert">${notices[notice]}</p>`;

export const hiddenPart = (fields: Readonly<Record<string, string>>): readonly SafeHtml[] =>
  Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`);

/** The field for a code of the app, which phones and password managers fill in by themselves. */
export const codePart = (focus: boolean): SafeHtml =>
  html`<label for="code">Six-digit code</label>
<input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]*" maxlength="11" required${focus ? html` autofocus` : null}>`;

/** The seed three ways: for a camera, for a tap on this very phone, and to type. */
export const seedPart = (seed: Uint8Array, of: { readonly document: PlatformDocument; readonly email: string }): SafeHtml => {
  const uri = otpauthUri({ seed, issuer: of.document.branding.displayName, account: of.email });
  const grouped = (totpSecretText(seed).match(/.{4}/g) ?? []).join(' ');
  return html`<p>${qrCode(uri, 'QR code for your authenticator app')}</p>
<p>Scan it with an authenticator app, <a href="${uri}">open it in the app of this device</a>, or type this key there:</p>
<p><code>${grouped}</code></p>`;
};

/** A set of recovery codes, which nobody can be shown again. */
export const recoveryCodesPart = (codes: readonly string[]): SafeHtml =>
  html`<p>Each of these codes signs you in once if you lose your authenticator app. Keep them where you keep important papers: <strong>they are not shown again.</strong></p>
<ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>\n`)}</ul>`;
