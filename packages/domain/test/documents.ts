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

const problemsWith = (changes: object) => {
  const parsed = parsePlatformDocument({ ...smallest, ...changes });
  return parsed.ok ? [] : parsed.problems;
};

/** What is wrong with the smallest document once it has these members, with the place in front of it. */
export const problemsOf = (changes: object): readonly string[] => problemsWith(changes).map(({ path, problem }) => `${path} ${problem}`);

/** Where the smallest document is wrong once it has these members. */
export const pathsOf = (changes: object): readonly string[] => problemsWith(changes).map(({ path }) => path);
