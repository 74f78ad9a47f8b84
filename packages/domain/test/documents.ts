import { type PlatformDocument, parsePlatformDocument } from '../src/index.ts';

/** The smallest document that parses. */
export const smallest = {
  name: 'acme',
  displayName: 'Acme',
  scopes: [
    { name: 'openid', description: 'Know who you are', required: true },
    { name: 'read', description: 'Read your things', default: true },
    { name: 'write', description: 'Change your things', implies: ['read'] },
    { name: 'all_claims', description: 'Everything', implies: ['write', 'admin'] },
    { name: 'admin', description: 'Manage', implies: ['all_claims'] },
  ],
};

/** A complete document with these members in place of the smallest one's. */
export const documentOf = (changes: object = {}): PlatformDocument => {
  const parsed = parsePlatformDocument({ ...smallest, ...changes });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.document;
};
