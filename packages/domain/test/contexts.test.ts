import { describe, expect, test } from 'vitest';
import { isContextId } from '../src/index.ts';
import { pathsOf } from './documents.ts';

describe('the id of a context', () => {
  test.each(['a', 'safe_1', 'Safe-2.b~c', '...', '.a', 'a.', '__proto__', 'x'.repeat(64)])('may be %s', (id) =>
    expect(isContextId(id)).toBe(true),
  );

  // Everything that a URL would not keep as the one segment that it is written as.
  test.each(['', '.', '..', 'a/b', 'a%2fb', 'a b', 'a\n', 'ü', 'a?b', 'a#b', 'a:b', 'x'.repeat(65)])('is never %j', (id) =>
    expect(isContextId(id)).toBe(false),
  );
});

describe('a resource of each context', () => {
  const resource = (change: object) => ({ uri: 'https://api.example/mcp', name: 'Things', ...change });

  test('needs a platform that says what one is called', () => {
    expect(pathsOf({ resources: [resource({ perContext: true })] })).toEqual(['resources[0].perContext']);
    expect(pathsOf({ resources: [resource({ perContext: true })], contexts: { noun: 'Safe' } })).toEqual([]);
    expect(pathsOf({ resources: [resource({})] })).toEqual([]);
  });

  test('needs a URI below which there is room', () => {
    const uri = 'https://api.example/mcp?tenant=1';
    expect(pathsOf({ resources: [resource({ uri, perContext: true })], contexts: { noun: 'Safe' } })).toEqual(['resources[0].perContext']);
    expect(pathsOf({ resources: [resource({ uri })], contexts: { noun: 'Safe' } })).toEqual([]);
  });
});
