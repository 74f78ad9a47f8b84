/** A value that has one form in JSON and one in XML. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [member: string]: Value };

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;', '\r': '&#13;' };

// Everything that is no Char of XML 1.0 §2.2: it could not be written even as a reference.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what XML forbids
const forbidden = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

const escapeText = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(forbidden, '\ufffd')
    .replaceAll(/[&<>"'\r]/g, (character) => escapes[character] ?? '');

const elementName = (member: string): string =>
  member
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

/** Each list's items are called by its name without the s: `events` holds `Event`s. */
const itemName = (member: string): string => elementName(member.replace(/s$/, ''));

const element = (name: string, value: Value, member: string): string => {
  if (value === null) return `<${name}/>`;
  if (Array.isArray(value)) {
    const items: readonly Value[] = value;
    return `<${name}>${items.map((item) => element(itemName(member), item, member)).join('')}</${name}>`;
  }
  if (typeof value === 'object') {
    const members = Object.entries(value).map(([each, inner]) => element(elementName(each), inner, each));
    return `<${name}>${members.join('')}</${name}>`;
  }
  return `<${name}>${escapeText(String(value))}</${name}>`;
};

/** The XML of a value under a root element of that name. Member names are ours; every text is escaped. */
export const toXml = (root: string, value: Value): string => `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, value, root)}\n`;
