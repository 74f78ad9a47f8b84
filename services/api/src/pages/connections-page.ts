import type { PlatformDocument } from '@grantlog/domain';
import type { SafeHtml } from '../http/html.ts';
import { html } from '../http/html.ts';
import type { Page } from '../http/page.ts';
import type { AgentOrigin } from './connect-page.ts';
import { type ConnectionContext, connectionContextForm, connectionContextLine } from './connection-context.ts';
import { hiddenPart } from './second-factor-parts.ts';

/** Something that may act for the account, as its owner is told of it. */
export type Connection = {
  readonly grantId: string;
  readonly name: string;
  /** The agent named no client of its own, so nobody knows what it is. */
  readonly isUnidentified: boolean;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** When it last had tokens issued; null where it has not come for any yet. */
  readonly lastIssuedAt: number | null;
  readonly scopes: readonly string[];
  /** Null where it could be for none. */
  readonly context: ConnectionContext | null;
  /** The names of apps that act on it for this one just now, by token exchange. They end with it. */
  readonly passedOnTo: readonly string[];
  /** Of an agent's session; null for an app that came by a browser. */
  readonly session: { readonly from: AgentOrigin | null; readonly webhookHosts: readonly string[] } | null;
};

/** What the page says first. */
export type ConnectionsNotice = 'ended' | 'unknown' | 'behind' | 'context_changed' | 'context_unknown' | 'context_kept';

const noticePart = (notice: ConnectionsNotice | null): SafeHtml | null => {
  switch (notice) {
    case null:
      return null;
    case 'ended':
      return html`<p class="notice" role="status">The connection has ended. Whatever it had been given is void.</p>`;
    case 'unknown':
      return html`<p class="notice" role="alert">There is no such connection of your account. Nothing was changed.</p>`;
    case 'context_changed':
      return html`<p class="notice" role="status">The connection is for another one now, from its next request on.</p>`;
    case 'context_unknown':
      return html`<p class="notice" role="alert">What you chose is not yours any more. Nothing was changed.</p>`;
    case 'context_kept':
      return html`<p class="notice" role="alert">This connection cannot be changed: the app asked for the very one, or has not come for its access yet. Nothing was changed.</p>`;
    case 'behind':
      return html`<p class="notice" role="status">This list is being brought up to date. Reload it in a moment to see what was connected just now.</p>`;
  }
};

const when = (time: number): SafeHtml => {
  const iso = new Date(time).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)}, ${iso.slice(11, 16)} UTC</time>`;
};

const agentPart = ({ from, webhookHosts }: NonNullable<Connection['session']>): SafeHtml => html`<dt>From where</dt><dd>${
  from === null
    ? 'Not known any more'
    : html`<code>${from.address}</code>${from.program === '' ? null : html`, <code>${from.program}</code>`}`
}</dd>
<dt>Told about your account at</dt><dd>${webhookHosts.length === 0 ? 'Nowhere' : webhookHosts.map((host) => html`<code>${host}</code> `)}</dd>`;

const passedOnPart = ({ passedOnTo }: Connection): SafeHtml | null =>
  passedOnTo.length === 0
    ? null
    : html`<dt>Acts through</dt><dd>${passedOnTo.map((name) => html`<strong>${name}</strong> `)}(until this connection ends)</dd>
`;

const connectionPart = (view: ConnectionsView, connection: Connection): SafeHtml => {
  const { grantId, name, isUnidentified, since, lastIssuedAt, session, context } = connection;
  const scopes = view.document.scopes.filter((scope) => connection.scopes.includes(scope.name));
  return html`<li>
<h2>${name}</h2>
${isUnidentified ? html`<p>An agent that has not said who it is; nobody has verified it.</p>` : null}
<dl>
<dt>Connected</dt><dd>${when(since)}</dd>
<dt>Last renewed</dt><dd>${lastIssuedAt === null ? 'It has not come for its access yet' : when(lastIssuedAt)}</dd>
${session === null ? null : agentPart(session)}
${context === null ? null : connectionContextLine(context)}${passedOnPart(connection)}<dt>What it may do</dt><dd><ul>${scopes.map((scope) => html`<li>${scope.description}</li>`)}</ul></dd>
</dl>
${context === null ? null : connectionContextForm(view, { grantId, name, context })}<form method="post" action="${view.path}/connections">
${hiddenPart({ csrf: view.csrf, grant: grantId })}
<button type="submit" aria-label="End the connection of ${name}">End this connection</button>
</form>
</li>
`;
};

export type ConnectionsView = {
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
  readonly csrf: string;
  readonly email: string;
  readonly connections: readonly Connection[];
  /** Where older ones begin; null where there are none. */
  readonly next: number | null;
  readonly notice: ConnectionsNotice | null;
};

/** Everything that may act for an account, for its owner, and the end of each. */
export const connectionsPage = (view: ConnectionsView): Page => {
  const { document, path, connections, next } = view;
  return {
    title: 'Your connections',
    branding: document.branding,
    body: html`<h1>What is connected to your ${document.branding.displayName} account</h1>
<p>You are signed in as <strong>${view.email}</strong>.</p>
${noticePart(view.notice)}
${connections.length === 0 ? html`<p>Nothing is connected.</p>` : html`<ul class="plain">${connections.map((each) => connectionPart(view, each))}</ul>`}
${next === null ? null : html`<p><a href="${path}/connections?before=${next}">Older ones</a></p>`}
<p><a href="${path}/security">Your security settings</a></p>`,
  };
};
