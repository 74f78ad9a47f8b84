import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

/** What the documents ask of the apps themselves is restated for them beside the sample client, which follows it. */
const guide = readFileSync(join(import.meta.dirname, '..', '..', 'example-clients', 'README.md'), 'utf8');

const sectionOf = (heading: string): string => guide.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
const rowOf = (section: string, first: string): readonly string[] =>
  section
    .split('\n')
    .find((line) => line.startsWith(`| ${first} |`))
    ?.split('|')
    .slice(1, -1)
    .map((cell) => cell.trim()) ?? [];

describe('an app is told', () => {
  test.each([
    ['client id', 'internal use'],
    ['client secret', 'highly sensitive'],
    ['access token', 'highly sensitive'],
    ['refresh token', 'highly sensitive'],
  ])('how sensitive its %s is (%s), and how to keep it', (what, sensitivity) => {
    expect(rowOf(sectionOf('What to protect, and how'), what)).toEqual([what, sensitivity, expect.stringMatching(/\w{4}/)]);
  });

  test('what to do with its tokens, and what not', () => {
    const [advice = '', against = ''] = sectionOf('Keeping tokens').split('\nYou SHOULD NOT\n');
    expect(advice).toContain('\nYou SHOULD\n');
    for (const words of [/read `expires_in`/, /use the kept access token for every request/, /wait for a 401 or 403/])
      expect(advice).toMatch(words);
    for (const words of [/ask the server whether a token is good/, /refresh a token that the API has not refused/])
      expect(against).toMatch(words);
  });

  test.each([
    ['400', 'invalid_request'],
    ['401', 'invalid_token'],
    ['401', 'expired_token'],
    ['403', 'insufficient_scope'],
  ])('what to do about %s %s', (status, error) => {
    const row = sectionOf('Reading the errors').match(new RegExp(`^\\| ${status} \\| \`${error}\` \\| (.+) \\|$`, 'm'));
    expect(row?.[1]).toMatch(/\w{4}/);
  });
});
