/** Whether a member of a JSON answer is a text that says something. */
export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** The texts of a list; whatever else stands there, or in its place, gives nothing. */
export const textsOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter(isText) : []);

/** Whether a member counts something: a whole number from 0 that a header can carry. */
export const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** The address of a page for people, safely spelt for headers and bodies; null for anything else. */
export const pageOf = (value: unknown): string | null => {
  if (typeof value !== 'string' || !URL.canParse(value)) return null;
  const { protocol, href } = new URL(value);
  return protocol === 'https:' || protocol === 'http:' ? href : null;
};

/** The objects of an account as introspection lists them; whatever else stands there, or in its place, gives nothing. */
export const contextsOf = (value: unknown): readonly { readonly id: string; readonly name: string }[] =>
  (Array.isArray(value) ? (value as readonly unknown[]) : []).flatMap((each) => {
    const { id, name } = (typeof each === 'object' && each !== null ? each : {}) as { readonly id?: unknown; readonly name?: unknown };
    return isText(id) ? [{ id, name: isText(name) ? name : id }] : [];
  });
