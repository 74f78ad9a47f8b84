import type { Contact } from './data.ts';

type ContactChange = Omit<Contact, 'contactId'>;

export type ContactBody =
  | { readonly kind: 'contact'; readonly change: ContactChange }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

const members = ['firstName', 'lastName', 'email'] as const;
const maxLength = 100;

// biome-ignore lint/suspicious/noControlCharactersInRegex: no name contains them
const control = /[\x00-\x1f\x7f]/;

const problemOf = (name: (typeof members)[number], value: unknown): string | null => {
  if (value === undefined) return `${name} is missing`;
  if (typeof value !== 'string') return `${name} must be a string`;
  if (value.trim() === '' || value.length > maxLength) return `${name} must have 1 to ${maxLength} characters`;
  if (!value.isWellFormed() || control.test(value)) return `${name} must not contain control characters`;
  if (name === 'email' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) return 'email must be an email address';
  return null;
};

/** Reads a contact as a client sends it; the problems name every member that is wrong, never its value. */
export const readContactBody = (text: string): ContactBody => {
  const wrong = (...problems: readonly string[]): ContactBody => ({ kind: 'wrong', problems });
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return wrong('the body must be JSON');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return wrong('the body must be a JSON object');
  const sent = body as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(sent).filter((name) => !members.some((member) => member === name));
  const problems = members.flatMap((name) => problemOf(name, sent[name]) ?? []);
  if (unknown.length > 0) problems.push(`only ${members.join(', ')} can be sent`);
  if (problems.length > 0) return wrong(...problems);
  // problemOf found every member to be a string.
  return { kind: 'contact', change: { firstName: sent['firstName'], lastName: sent['lastName'], email: sent['email'] } as ContactChange };
};
