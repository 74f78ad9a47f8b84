import type { PlatformDocument } from '@grantlog/domain';
import { html } from '../http/html.ts';
import type { Page } from '../http/page.ts';
import { formTargetOf } from '../http/page.ts';
import { type CodeNotice, codePart, hiddenPart, noticePart, recoveryCodesPart, seedPart } from './second-factor-parts.ts';
import type { Destination } from './second-step-seal.ts';

type View = {
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
  readonly csrf: string;
  readonly sealed: string;
  readonly destination: Destination;
  readonly notice: CodeNotice | null;
};

/** An answer to the form may be a redirect to the app: where the person has allowed this before, or somebody else was asked for. */
export const formTargetsOf = (destination: Destination | null): readonly string[] =>
  destination?.kind === 'decision' ? [formTargetOf(destination.pending.request.redirectUri)] : [];

/** Asks for a code after the right password; a recovery code has a form of its own, whose keyboard has letters. */
export const codePage = ({ document, path, csrf, sealed, destination, notice }: View): Page => ({
  title: 'Second step',
  branding: document.branding,
  formTargets: formTargetsOf(destination),
  body: html`<h1>Your code for ${document.branding.displayName}</h1>
<p>Your account has a second step. Open your authenticator app and type the code that it shows.</p>
${noticePart(notice)}
<form method="post" action="${path}/sign-in/code">
${hiddenPart({ csrf, request: sealed })}
${codePart(true)}
<button class="primary" type="submit">Continue</button>
</form>
<details>
<summary>Use a recovery code instead</summary>
<form method="post" action="${path}/sign-in/code">
${hiddenPart({ csrf, request: sealed })}
<label for="recovery">Recovery code</label>
<input id="recovery" name="code" type="text" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="40" required>
<button type="submit">Continue with a recovery code</button>
</form>
</details>`,
});

/** Has a first code typed before somebody may be signed in at all. */
export const requiredEnrolmentPage = (view: View & { readonly seed: Uint8Array; readonly email: string }): Page => {
  const { document, path, csrf, sealed, notice } = view;
  return {
    title: 'Set up your second step',
    branding: document.branding,
    formTargets: formTargetsOf(view.destination),
    body: html`<h1>Set up your second step</h1>
<p>${document.branding.displayName} asks everybody for a code besides the password. Set up an authenticator app to go on.</p>
${noticePart(notice)}
${seedPart(view.seed, view)}
<form method="post" action="${path}/sign-in/enrolment">
${hiddenPart({ csrf, request: sealed })}
${codePart(false)}
<button class="primary" type="submit">Continue</button>
</form>`,
  };
};

/** Shows the recovery codes that a required enrolment made, before what waits is gone on with. */
export const firstRecoveryCodesPage = (view: {
  readonly document: PlatformDocument;
  readonly path: string;
  readonly csrf: string;
  readonly recoveryCodes: readonly string[];
  /** The decision that waits, sealed for who is signed in by now. */
  readonly sealed: string | null;
  readonly destination: Destination;
}): Page => ({
  title: 'Your recovery codes',
  branding: view.document.branding,
  formTargets: formTargetsOf(view.destination),
  body: html`<h1>Your recovery codes</h1>
<p>The second step is set up, and you are signed in.</p>
${recoveryCodesPart(view.recoveryCodes)}
${
  view.sealed === null
    ? html`<p><a href="${view.path}/security">Go on to your security settings</a></p>`
    : html`<form method="post" action="${view.path}/sign-in/continue">
${hiddenPart({ csrf: view.csrf, request: view.sealed })}
<button class="primary" type="submit">I have kept them, continue</button>
</form>`
}`,
});
