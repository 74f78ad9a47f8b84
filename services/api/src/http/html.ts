declare const safe: unique symbol;

/** Text that may stand in a page as it is. Only {@link html} makes it. */
export type SafeHtml = { readonly [safe]: true; readonly text: string };

type Value = SafeHtml | string | number | null | false | readonly Value[];

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

// Controls, zero-width, blank and bidirectional characters let a name look like another, or like none; they are shown as what they are not.
const deceptive =
  /\u034f|[\p{Cc}\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e00ff}]/gu;

const escapeText = (text: string): string =>
  text.replaceAll(deceptive, '\ufffd').replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');

const isSafe = (value: object): value is SafeHtml => 'text' in value;

const render = (value: Value): string => {
  if (value === null || value === false) return '';
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  return isSafe(value) ? value.text : value.map(render).join('');
};

/** A template whose every value is escaped, except what another template made. Lists are joined, null and false are nothing. */
export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): SafeHtml =>
  ({ text: parts.reduce((text, part, index) => text + render(values[index - 1] ?? null) + part) }) as SafeHtml;
