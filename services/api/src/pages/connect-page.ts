import type { ClientRecord, PlatformDocument } from '@grantlog/domain';
import type { SafeHtml } from '../http/html.ts';
import { html } from '../http/html.ts';
import type { Page } from '../http/page.ts';
import { findResource } from '../platforms/own-resources.ts';
import { type ContextOffer, contextPart, isAllowable } from './context-choice.ts';
import { hiddenPart } from './second-factor-parts.ts';
import { namedAs, originOf } from './who-asks.ts';

/** From where an agent began, as the server saw it, and the program that it said it was. */
export type AgentOrigin = { readonly address: string; readonly program: string };

/** What tells the person that the session is the one of their own agent. */
export type ConnectCheck =
  | { readonly kind: 'number'; readonly choices: readonly number[] }
  | { readonly kind: 'code'; readonly code: string }
  /** The person has typed the code themselves. */
  | { readonly kind: 'nothing' };

export type ConnectView = {
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
  readonly issuer: string;
  readonly client: ClientRecord;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly email: string;
  /** Whether refresh tokens come with it. */
  readonly staysConnected: boolean;
  /** The agent named no client of its own. */
  readonly isUnidentified: boolean;
  /** Null once it was erased. */
  readonly from: AgentOrigin | null;
  readonly minutesAgo: number;
  readonly webhookHosts: readonly string[];
  readonly check: ConnectCheck;
  /** Which of the account's contexts it may be for. */
  readonly offer: ContextOffer;
  /** The page is shown again, because its webhooks are others than it had said. */
  readonly changed: boolean;
  readonly csrf: string;
  readonly sealed: string;
};

const longestProgram = 200;

const who = ({ document, client, isUnidentified }: ConnectView): SafeHtml =>
  isUnidentified
    ? html`An agent that has not said who it is. <strong>Nobody has verified it.</strong>`
    : html`${namedAs(client.name)} (<code>${client.clientId}</code>), ${originOf({ document, client })}. ${
        // Who has a secret has shown it to begin (RFC 8628 §3.1). A public client's id is no secret, and no redirect proves it here (§5.6).
        client.kind === 'public' ? html`<strong>It has proved nothing: anybody can begin in this name.</strong>` : null
      }`;

const ago = (minutes: number): string => (minutes === 0 ? 'just now' : minutes === 1 ? 'a minute ago' : `${minutes} minutes ago`);

const fromWhere = ({ from, minutesAgo }: ConnectView): SafeHtml =>
  from === null
    ? html`Not known any more`
    : html`The address <code>${from.address}</code>, ${ago(minutesAgo)}. It calls itself ${
        from.program === '' ? 'nothing' : html`<code>${from.program.slice(0, longestProgram)}</code>`
      }`;

const told = ({ webhookHosts }: ConnectView): SafeHtml =>
  webhookHosts.length === 0
    ? html`Nowhere; it asks here by itself`
    : html`${webhookHosts.map((host, index) => html`${index === 0 ? null : ', '}<code>${host}</code>`)}, until you end it`;

const form = (view: ConnectView, buttons: SafeHtml): SafeHtml => html`<form method="post" action="${view.path}/connect">
${hiddenPart({ csrf: view.csrf, request: view.sealed })}
${buttons}
</form>`;

const answers = (view: ConnectView): SafeHtml => {
  const { check, offer } = view;
  const choice = contextPart(offer);
  if (!isAllowable(offer)) return form(view, html`${choice}<button type="submit" name="decision" value="deny">Deny</button>`);
  switch (check.kind) {
    case 'number':
      return html`<h2>Which number does your agent show you?</h2>
<p>Choosing it connects the agent. If it shows none of these, or you have asked no agent for this, somebody else wants your account.</p>
${form(
  view,
  html`${choice}<p class="numbers">${check.choices.map((number) => html`<button class="primary" type="submit" name="number" value="${number}">${number}</button>\n`)}</p>
<button type="submit" name="decision" value="deny" formnovalidate>None of these, or I did not ask for this</button>`,
)}`;
    case 'code':
      return html`<h2>Does your device show this code?</h2>
<p class="code"><code>${check.code}</code></p>
<p>If it shows another one, or you have asked no device for this, somebody else wants your account.</p>
${form(
  view,
  html`${choice}<button class="primary" type="submit" name="decision" value="allow">It shows this code: allow</button>
<button type="submit" name="decision" value="deny" formnovalidate>Deny</button>`,
)}`;
    case 'nothing':
      return form(
        view,
        html`<p>Allow it only if the code that you have typed is on a device of your own, and nobody has sent it to you.</p>
${choice}<button class="primary" type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="deny" formnovalidate>Deny</button>`,
      );
  }
};

/** What a person grants to an agent without a browser: who asks and how we know, from where, where it will be told, and the number. */
export const connectPage = (view: ConnectView): Page => {
  const { document, client } = view;
  const scopes = document.scopes.filter((scope) => view.scopes.includes(scope.name));
  const resources = view.resources.flatMap((uri) => findResource(document, view.issuer, uri) ?? []);
  const title = `Connect ${view.isUnidentified ? 'an agent' : client.name} to ${document.branding.displayName}?`;
  return {
    title,
    branding: document.branding,
    body: html`<h1>${title}</h1>
<p>You are signed in as <strong>${view.email}</strong>.</p>
${form(view, html`<button class="quiet" type="submit" name="decision" value="other_account">Use another account</button>`)}
${view.changed ? html`<p class="notice" role="alert">The agent has changed where it will be told of your account. Read this page once more.</p>` : null}
<dl>
<dt>Who asks</dt><dd>${who(view)}</dd>
<dt>From where</dt><dd>${fromWhere(view)}</dd>
<dt>Where it will be told about your account</dt><dd>${told(view)}</dd>
<dt>What it may do</dt><dd><ul>${scopes.map((scope) => html`<li>${scope.description}</li>`)}</ul></dd>
${resources.length === 0 ? null : html`<dt>On</dt><dd>${resources.map((resource) => html`${resource.definition.name} (<code>${resource.uri}</code>) `)}</dd>`}
<dt>Until when</dt><dd>${view.staysConnected ? 'Until you end it, also while you are away' : 'For a short while; it then has to ask you again'}</dd>
</dl>
${answers(view)}`,
  };
};
