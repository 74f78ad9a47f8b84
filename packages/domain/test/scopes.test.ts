import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grantableScopes, impliedScopes, satisfies, stillGrantable } from '../src/index.ts';
import { documentOf } from './documents.ts';

// openid is required, read is the default, write implies read, all_claims and admin imply each other and write.
const document = documentOf();
const grantable = (requested: readonly string[], scopes: readonly string[] | null = null) =>
  grantableScopes({ document, client: { scopes }, requested });
const granted = (...scopes: readonly string[]) => ({ outcome: 'granted', scopes });
const names = document.scopes.map(({ name }) => name);

describe('grantable scopes', () => {
  test('are the defaults and the required ones when none is requested', () => {
    expect(grantable([])).toEqual(granted('openid', 'read'));
  });

  test('are what is requested, each once, in the order of the platform', () => {
    expect(grantable(['write', 'openid', 'write'])).toEqual(granted('openid', 'write'));
    expect(grantable(['admin', 'openid'])).toEqual(granted('openid', 'admin'));
  });

  test('do not include an unknown scope, and the refusal names it', () => {
    expect(grantable(['read', 'Read'])).toEqual({ outcome: 'invalid_scope', scope: 'Read' });
    expect(grantable(['read,write'])).toEqual({ outcome: 'invalid_scope', scope: 'read,write' });
  });

  test('do not include a scope that the client is not allowed', () => {
    expect(grantable(['write'], ['read'])).toEqual({ outcome: 'invalid_scope', scope: 'write' });
    expect(grantable([], ['write'])).toEqual(granted('openid', 'read'));
    expect(grantable([], [])).toEqual(granted('openid'));
  });

  test('include what an allowed scope implies', () => {
    expect(grantable(['openid', 'read'], ['write'])).toEqual(granted('openid', 'read'));
  });

  test('are refused when the request names scopes but not one that every request has to name', () => {
    expect(grantable(['read'])).toEqual({ outcome: 'required_scope_missing', scope: 'openid' });
  });

  test('stay grantable one by one, without the required ones beside them', () => {
    expect(stillGrantable({ document, client: { scopes: ['write'] } }, ['read', 'openid', 'admin', 'gone'])).toEqual(['read', 'openid']);
  });

  test('are refused when nothing is requested and nothing is the default', () => {
    const bare = documentOf({ scopes: [{ name: 'read', description: 'Read' }] });
    expect(grantableScopes({ document: bare, client: { scopes: null }, requested: [] })).toEqual({ outcome: 'invalid_scope', scope: null });
  });

  test('never exceed what was requested, what is required and what the client may', () => {
    fc.assert(
      fc.property(fc.subarray(names, { minLength: 1 }), fc.option(fc.subarray(names)), (requested, allowed) => {
        const decision = grantable(requested, allowed);
        if (decision.outcome === 'invalid_scope') {
          expect(requested).toContain(decision.scope);
          return;
        }
        if (decision.outcome === 'required_scope_missing') {
          expect(requested).not.toContain(decision.scope);
          return;
        }
        const may = allowed === null ? names : impliedScopes(allowed, document);
        for (const scope of decision.scopes) expect(scope === 'openid' || (requested.includes(scope) && may.includes(scope))).toBe(true);
        for (const scope of requested) expect(decision.scopes).toContain(scope);
      }),
    );
  });
});

describe('satisfying a need', () => {
  test('takes the scope itself or one that implies it, transitively and through a cycle', () => {
    expect(satisfies(['read'], ['read'], document)).toBe(true);
    expect(satisfies(['write'], ['read'], document)).toBe(true);
    expect(satisfies(['admin'], ['read', 'write', 'all_claims'], document)).toBe(true);
    expect(satisfies(['read'], ['write'], document)).toBe(false);
    expect(satisfies(['openid', 'read'], ['read', 'admin'], document)).toBe(false);
    expect(satisfies([], [], document)).toBe(true);
  });

  test('knows nothing of an implication that the platform no longer has, but keeps the scope itself', () => {
    expect(satisfies(['gone'], ['gone'], document)).toBe(true);
    expect(satisfies(['gone'], ['read'], document)).toBe(false);
  });

  test('implies itself, more from more, and nothing new the second time', () => {
    fc.assert(
      fc.property(fc.subarray(names), fc.subarray(names), (some, more) => {
        const implied = impliedScopes(some, document);
        expect(implied).toEqual(expect.arrayContaining(some));
        expect(impliedScopes(implied, document)).toEqual(implied);
        expect(impliedScopes([...some, ...more], document)).toEqual(expect.arrayContaining([...implied]));
      }),
    );
  });
});
