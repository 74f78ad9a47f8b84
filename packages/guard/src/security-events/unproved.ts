import { isText } from '../members.ts';

/** What a token says of itself, of which nothing is proved: it may choose a key and word a refusal, and no more. */
export type Unproved = { readonly keyId: string | null; readonly issuer: unknown };

const parse = (part: string): Readonly<Record<string, unknown>> => ({
  ...(JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as object | null),
});

/** Null for what has no header and claims in JSON. */
export const readUnproved = (jwt: string): Unproved | null => {
  const [header = '', claims = ''] = jwt.split('.');
  try {
    const { kid } = parse(header);
    return { keyId: isText(kid) ? kid : null, issuer: parse(claims)['iss'] };
  } catch {
    return null;
  }
};
