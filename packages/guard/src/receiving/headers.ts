/** As node:http has them, as fetch does, or any record of them; the case of names plays no part. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export type ShownHeader =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly value: string }
  /** Of several none is chosen: whatever stands before us may have looked at another. */
  | { readonly kind: 'repeated' };

/** Every value of a header, also where a record spells its name in several ways. */
const valuesOf = (headers: WebhookHeaders, name: string): readonly string[] => {
  const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  return entries.flatMap(([each, values]) => (each.toLowerCase() === name ? (values ?? []) : []));
};

/** @param name in lower case. */
export const readHeader = (headers: WebhookHeaders, name: string): ShownHeader => {
  const [value = '', ...others] = valuesOf(headers, name);
  if (others.length > 0) return { kind: 'repeated' };
  return value === '' ? { kind: 'none' } : { kind: 'one', value };
};
