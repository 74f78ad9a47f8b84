import type { ClientRecord, PlatformDocument } from '@grantlog/domain';
import { parseRedirectUri } from '@grantlog/protocol';
import { html } from '../http/html.ts';
import type { Page } from '../http/page.ts';
import { formTargetOf } from '../http/page.ts';
import { resourcesOf } from '../platforms/own-resources.ts';
import type { AuthorizationRequest } from './authorization-request.ts';

/** How a client came to be, in the words of the pages that ask about it. */
export const originWords = {
  preset: 'set up by the operator of this platform',
  portal: 'registered by a developer and approved by an operator',
  dynamic: 'registered by itself; nobody has verified its name',
  metadata_document: 'described by its own website',
} as const satisfies Record<ClientRecord['how'], string>;

/** What a person grants, honestly: who asks and how we know, where the answer goes, for what, for how long. */
export const consentPage = (view: {
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
  readonly issuer: string;
  readonly client: ClientRecord;
  readonly request: AuthorizationRequest;
  readonly email: string;
  /** Whether refresh tokens come with it. */
  readonly staysConnected: boolean;
  readonly csrf: string;
  readonly sealed: string;
}): Page => {
  const { document, client, request } = view;
  const parsed = parseRedirectUri(request.redirectUri);
  const host = parsed.kind === 'refused' ? request.redirectUri : parsed.host;
  const scopes = document.scopes.filter((scope) => request.scopes.includes(scope.name));
  const resources = resourcesOf(document, view.issuer).filter((resource) => request.resources.includes(resource.uri));
  const title = `Allow ${client.name}?`;
  return {
    title,
    branding: document.branding,
    formTargets: [formTargetOf(request.redirectUri)],
    body: html`<h1>${title}</h1>
<p>You are signed in to ${document.branding.displayName} as <strong>${view.email}</strong>.</p>
<dl>
<dt>Who asks</dt><dd>${client.name} (<code>${client.clientId}</code>), ${originWords[client.how]}</dd>
<dt>Where your answer goes</dt><dd><code>${host}</code>${parsed.kind === 'loopback' ? ' (an app on this computer)' : null}</dd>
<dt>What it may do</dt><dd><ul>${scopes.map((scope) => html`<li>${scope.description}</li>`)}</ul></dd>
${resources.length === 0 ? null : html`<dt>On</dt><dd>${resources.map((resource) => html`${resource.name} (<code>${resource.uri}</code>) `)}</dd>`}
<dt>Until when</dt><dd>${view.staysConnected ? 'Until you end it, also while you are away' : 'For a short while; it then has to ask you again'}</dd>
</dl>
<form method="post" action="${view.path}/consent">
<input type="hidden" name="csrf" value="${view.csrf}">
<input type="hidden" name="request" value="${view.sealed}">
<button class="primary" type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="deny">Deny</button>
</form>`,
  };
};
