import type { PlatformDocument } from '@grantlog/domain';
import { html } from '../http/html.ts';
import type { Page } from '../http/page.ts';
import { formTargetOf } from '../http/page.ts';
import type { ReturnAddress } from '../logout/return-address.ts';

type View = {
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
  readonly back: Exclude<ReturnAddress, { readonly kind: 'refused' }>;
};

/** Asks whoever is signed in whether they want to be signed out: an app that cannot show whose sign-in it means only asks for it. */
export const confirmSignOutPage = (
  view: View & {
    readonly csrf: string;
    /** The request that waits for the answer. */
    readonly sealed: string;
    /** The app that asks; null where nobody we know does. */
    readonly clientName: string | null;
  },
): Page => {
  const { document, back } = view;
  const title = `Sign out of ${document.branding.displayName}?`;
  return {
    title,
    branding: document.branding,
    formTargets: back.kind === 'registered' ? [formTargetOf(back.url)] : [],
    body: html`<h1>${title}</h1>
<p>${view.clientName === null ? 'You came here' : html`<strong>${view.clientName}</strong> has sent you here`} to be signed out. Until you say so, you stay signed in in this browser.</p>
${back.kind === 'nameless' ? html`<p class="notice">You cannot be sent back afterwards: whoever sent you here did not say which app they are (client_id or id_token_hint).</p>` : null}
<form method="post" action="${view.path}/sign-out">
<input type="hidden" name="csrf" value="${view.csrf}">
<input type="hidden" name="request" value="${view.sealed}">
<button class="primary" type="submit">Sign out</button>
</form>
<p>To stay signed in, leave this page.</p>`,
  };
};

/** After the end, where nobody is sent on by themselves. */
export const signedOutPage = ({ document, path, back }: View): Page => ({
  title: 'Signed out',
  branding: document.branding,
  body: html`<h1>You are signed out of ${document.branding.displayName}</h1>
<p>Apps that you have allowed keep what you gave them. <a href="${path}/sign-in">Sign in again</a></p>
${back.kind === 'registered' ? html`<p><a href="${back.url}" rel="noreferrer">Go on to ${back.name}</a> (${formTargetOf(back.url)})</p>` : null}`,
});
