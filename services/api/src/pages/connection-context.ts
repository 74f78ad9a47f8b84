import type { AccountState, GrantState, PlatformDocument } from '@grantlog/domain';
import type { AccountContext } from '@grantlog/provisioning';
import { isPinned, standingContext } from '../contexts/standing-context.ts';
import type { SafeHtml } from '../http/html.ts';
import { html } from '../http/html.ts';
import { contextLabel, offerContexts } from './context-choice.ts';
import { hiddenPart } from './second-factor-parts.ts';

/** What a connection is for, as its owner is told. */
export type ConnectionContext = {
  readonly noun: string;
  /** Null for none. */
  readonly current: AccountContext | 'lost' | null;
  /** What it may be changed to; empty where the app has asked for the very one, or has not come yet. */
  readonly choices: readonly AccountContext[];
};

/** What a grant is for among the contexts of its account; null where it could be for none. */
export const connectionContextOf = (
  place: { readonly document: PlatformDocument; readonly issuer: string },
  grant: Extract<GrantState, { readonly status: 'authorized' | 'active' }>,
  of: { readonly account: AccountState | null; readonly contexts: readonly AccountContext[] },
): ConnectionContext | null => {
  const { terms } = grant;
  const pinned = isPinned(grant);
  const offer = offerContexts(place, { resources: terms.resources, pinnedContext: pinned ? grant.context : null }, of.contexts);
  if (offer.kind === 'nothing') return null;
  const id = standingContext(place.document, grant, of.account);
  const current = of.contexts.find((context) => context.id === id) ?? (grant.context === null ? null : 'lost');
  const mayChange = offer.kind === 'choice' && !pinned && grant.status === 'active';
  return { noun: offer.noun, current, choices: mayChange ? offer.contexts : [] };
};

/** A line of the list of what is known of a connection. */
export const connectionContextLine = ({ noun, current, choices }: ConnectionContext): SafeHtml =>
  html`<dt>For which ${noun}</dt><dd>${
    current === null ? 'None' : current === 'lost' ? 'One that is not yours any more' : contextLabel(current, choices)
  }</dd>\n`;

/** Where it is changed; nothing where it cannot be, or where there is nothing else to choose. */
export const connectionContextForm = (
  view: { readonly path: string; readonly csrf: string },
  { grantId, name, context }: { readonly grantId: string; readonly name: string; readonly context: ConnectionContext },
): SafeHtml | null => {
  const { noun, current, choices } = context;
  const others = choices.filter((each) => each !== current);
  if (others.length === 0) return null;
  return html`<form method="post" action="${view.path}/connections/context">
${hiddenPart({ csrf: view.csrf, grant: grantId })}
<label for="context-${grantId}">Another ${noun}</label>
<select id="context-${grantId}" name="context" required>${others.map((each) => html`<option value="${each.id}">${optionText(each, choices)}</option>\n`)}</select>
<button type="submit" aria-label="Change the ${noun} of ${name}">Change</button>
</form>
`;
};

/** An option holds text alone. */
const optionText = ({ id, name }: AccountContext, among: readonly AccountContext[]): string =>
  among.some((other) => other.id !== id && other.name === name) ? `${name} (${id})` : name;
