import type { ClientRecord, PlatformDocument } from '@grantlog/domain';
import { parseRedirectUri } from '@grantlog/protocol';
import { html } from '../http/html.ts';
import type { Page } from '../http/page.ts';
import { formTargetOf } from '../http/page.ts';
import { findResource } from '../platforms/own-resources.ts';
import { wordsBeyondScopes } from '../tokens/personal-claims.ts';
import type { AuthorizationRequest } from './authorization-request.ts';
import { type ContextOffer, contextPart, isAllowable } from './context-choice.ts';
import { warningOf, whoAsks } from './who-asks.ts';

/** What a person grants, honestly: who asks and how we know, where the answer goes, for what, for how long. */
export const consentPage = (view: {
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
  readonly issuer: string;
  readonly client: ClientRecord;
  readonly request: AuthorizationRequest;
  readonly email: string;
  /** Which of the account's contexts it may be for. */
  readonly offer: ContextOffer;
  /** Whether refresh tokens come with it. */
  readonly staysConnected: boolean;
  /** Whether the person is not asked again for the same. */
  readonly isRemembered: boolean;
  readonly csrf: string;
  readonly sealed: string;
}): Page => {
  const { document, client, request } = view;
  const parsed = parseRedirectUri(request.redirectUri);
  const host = parsed.kind === 'refused' ? request.redirectUri : parsed.host;
  const scopes = document.scopes.filter((scope) => request.scopes.includes(scope.name));
  const resources = request.resources.flatMap((uri) => findResource(document, view.issuer, uri) ?? []);
  const title = `Allow ${client.name}?`;
  return {
    title,
    branding: document.branding,
    formTargets: [formTargetOf(request.redirectUri)],
    body: html`<h1>${title}</h1>
<p>You are signed in to ${document.branding.displayName} as <strong>${view.email}</strong>.</p>
<dl>
<dt>Who asks</dt><dd>${whoAsks({ document, client })}</dd>
<dt>Where your answer goes</dt><dd><code>${host}</code>${parsed.kind === 'loopback' ? ' (an app on this computer)' : null}</dd>
<dt>What it may do</dt><dd><ul>${[...scopes.map((scope) => scope.description), ...wordsBeyondScopes(request)].map((words) => html`<li>${words}</li>`)}</ul></dd>
${resources.length === 0 ? null : html`<dt>On</dt><dd>${resources.map((resource) => html`${resource.definition.name} (<code>${resource.uri}</code>) `)}</dd>`}
<dt>Until when</dt><dd>${view.staysConnected ? 'Until you end it, also while you are away' : 'For a short while; it then has to ask you again'}</dd>
${view.isRemembered ? html`<dt>Next time</dt><dd>You are not asked again for exactly this, as long as this connection lasts</dd>` : null}
</dl>
${warningOf({ document, client }, parsed)}
<form method="post" action="${view.path}/consent">
<input type="hidden" name="csrf" value="${view.csrf}">
<input type="hidden" name="request" value="${view.sealed}">
${contextPart(view.offer)}${isAllowable(view.offer) ? html`<button class="primary" type="submit" name="decision" value="allow">Allow</button>\n` : null}<button type="submit" name="decision" value="deny" formnovalidate>Deny</button>
</form>`,
  };
};
