import type { PlatformDocument } from '@grantlog/domain';
import type { AccountContext } from '@grantlog/provisioning';
import type { SafeHtml } from '../http/html.ts';
import { html } from '../http/html.ts';
import { findResource } from '../platforms/own-resources.ts';

/** What a person is offered to choose from, or shown as chosen, before they allow a request. */
export type ContextOffer =
  | { readonly kind: 'nothing' }
  /** The app asks for this very one. */
  | { readonly kind: 'pinned'; readonly noun: string; readonly context: AccountContext }
  /** The app asks for one that the account does not have: nothing to allow. */
  | { readonly kind: 'foreign'; readonly noun: string }
  /** One of the account's, or none unless it is required. Where it is and there is none, there is nothing to allow. */
  | { readonly kind: 'choice'; readonly noun: string; readonly required: boolean; readonly contexts: readonly AccountContext[] };

/** What a request offers an account. One for this server's own resources alone is for no context. */
export const offerContexts = (
  { document, issuer }: { readonly document: PlatformDocument; readonly issuer: string },
  request: { readonly resources: readonly string[]; readonly pinnedContext: string | null },
  contexts: readonly AccountContext[],
): ContextOffer => {
  if (document.contexts === null) return { kind: 'nothing' };
  const { noun, required } = document.contexts;
  if (request.pinnedContext !== null) {
    const context = contexts.find(({ id }) => id === request.pinnedContext);
    return context === undefined ? { kind: 'foreign', noun } : { kind: 'pinned', noun, context };
  }
  const isForPlatform = request.resources.some((uri) => {
    const found = findResource(document, issuer, uri);
    return found !== null && document.resources.includes(found.definition);
  });
  if ((request.resources.length > 0 && !isForPlatform) || (contexts.length === 0 && !required)) return { kind: 'nothing' };
  return { kind: 'choice', noun, required, contexts };
};

/** Whether there is anything that may be allowed. */
export const isAllowable = (offer: ContextOffer): boolean =>
  offer.kind !== 'foreign' && !(offer.kind === 'choice' && offer.required && offer.contexts.length === 0);

export type ContextJudgement =
  | { readonly outcome: 'chosen'; readonly context: string | null }
  /** In words for the person, without a full stop. */
  | { readonly outcome: 'refused'; readonly why: string };

/** The context that a form's answer comes to, judged by what the account is offered now; `chosen` is null for none. */
export const judgeContext = (offer: ContextOffer, chosen: string | null): ContextJudgement => {
  const isGone = {
    outcome: 'refused',
    why: 'What you chose is not among your choices any more. Go back to the app and begin again',
  } as const;
  switch (offer.kind) {
    case 'nothing':
      return chosen === null ? { outcome: 'chosen', context: null } : isGone;
    case 'pinned':
      return chosen === null || chosen === offer.context.id ? { outcome: 'chosen', context: offer.context.id } : isGone;
    case 'foreign':
      return { outcome: 'refused', why: "What is asked for is not your account's" };
    case 'choice':
      if (chosen !== null) return offer.contexts.some(({ id }) => id === chosen) ? { outcome: 'chosen', context: chosen } : isGone;
      return offer.required
        ? { outcome: 'refused', why: 'Choose what it is for before you allow it' }
        : { outcome: 'chosen', context: null };
  }
};

/** A context as its owner knows it; by its id as well where another is called the same. */
export const contextLabel = ({ id, name }: AccountContext, among: readonly AccountContext[]): SafeHtml =>
  among.some((other) => other.id !== id && other.name === name) ? html`${name} (<code>${id}</code>)` : html`${name}`;

const radio = (value: string, label: SafeHtml, state: { readonly checked: boolean; readonly required: boolean }): SafeHtml =>
  html`<label><input type="radio" name="context" value="${value}"${state.checked ? html` checked` : null}${state.required ? html` required` : null}><span>${label}</span></label>\n`;

/** The part of a form where the context is chosen, or shown where there is nothing to choose. */
export const contextPart = (offer: ContextOffer): SafeHtml | null => {
  switch (offer.kind) {
    case 'nothing':
      return null;
    case 'pinned':
      return html`<p class="notice">It is for this ${offer.noun} alone: <strong>${offer.context.name}</strong></p>\n`;
    case 'foreign':
      return html`<p class="notice" role="alert">This account does not have the ${offer.noun} that is asked for. Deny, and sign in with the account that has it.</p>\n`;
    case 'choice': {
      const { noun, required, contexts } = offer;
      if (contexts.length === 0)
        return html`<p class="notice" role="alert">You have no ${noun} yet, and this needs one. Deny, and come back once you have one.</p>\n`;
      return html`<fieldset class="choices"><legend>Which ${noun} is it for?</legend>
${required ? null : radio('', html`None for now`, { checked: true, required })}${contexts.map((context) =>
  radio(context.id, contextLabel(context, contexts), { checked: required && contexts.length === 1, required }),
)}</fieldset>\n`;
    }
  }
};
