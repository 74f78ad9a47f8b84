import { specification } from '@grantlog/eventsourcing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DelegationRequest, DelegationSource, GrantId, GrantTerms } from '../src/index.ts';
import { delegate, delegationLimit, grantDecider, sourcesOf } from '../src/index.ts';
import { rules, seconds, start, terms, thief } from './grant-fixtures.ts';

const source = (grant: string, expiresAt = seconds + 600): DelegationSource => ({
  grant: grant as GrantId,
  sequence: 1,
  expiresAt,
  key: { use: 'token', keyId: 1 },
});
const document = {
  scopes: ['openid', 'read', 'write', 'account', 'offline_access'].map((name) => ({
    name,
    description: name,
    default: false,
    required: false,
    implies: name === 'write' ? ['read'] : [],
  })),
};
const [first, second] = terms.resources as readonly [string, string];
const request = (change: Partial<DelegationRequest> = {}): DelegationRequest => ({
  subject: { terms, source: source('g1'), scopes: ['openid', 'read', 'write'], resource: first },
  actor: { client: thief, clientId: 'server' },
  document,
  allowed: { scopes: document.scopes.map(({ name }) => name), resources: terms.resources },
  scopes: null,
  resources: [],
  tokenNonce: 'fresh',
  ...change,
});
const termsOf = (change: Partial<DelegationRequest> = {}): GrantTerms => {
  const decided = delegate(request(change));
  if (!decided.ok) throw new Error(decided.refusal);
  return decided.terms;
};

describe('what is passed on', () => {
  test('is the account’s, the actor’s, and stands on the token', () => {
    expect(termsOf()).toMatchObject({
      flow: 'token_exchange',
      client: thief,
      clientId: 'server',
      account: terms.account,
      session: null,
      signIn: null,
      scopes: ['openid', 'read', 'write'],
      resources: [first],
      contextPinned: true,
      delegation: { actors: ['server'], sources: [source('g1')] },
      tokenNonce: 'fresh',
    });
  });

  test('keeps every actor and every source of what it comes from, the latest first', () => {
    const before: GrantTerms = { ...termsOf(), delegation: { actors: ['b', 'a'], sources: [source('g2'), source('g1')] } };
    const next = termsOf({ subject: { terms: before, source: source('g3'), scopes: ['read'], resource: first } });
    expect(next.delegation).toEqual({ actors: ['server', 'b', 'a'], sources: [source('g3'), source('g2'), source('g1')] });
    expect(sourcesOf(next)).toEqual(['g3', 'g2', 'g1']);
  });

  test('ends with the first of its sources, and is never refreshed', () => {
    const { given } = specification(grantDecider);
    const passed = { ...termsOf(), delegation: { actors: ['server'], sources: [source('g2', seconds + 60), source('g1', seconds + 30)] } };
    const { events } = grantDecider.decide(
      {
        type: 'issue_to_client',
        terms: passed,
        now: start,
        rules,
        narrowing: { scopes: null, resource: first },
        proofKey: null,
        context: 'safe-1',
      },
      { status: 'none' },
    );
    expect(events).toMatchObject([
      { type: 'grant.authorized', data: { issue: { accessExpiresAt: seconds + 30, refreshExpiresAt: null } } },
      { type: 'grant.context_selected', data: { context: 'safe-1' } },
    ]);
    given(events).when({ type: 'select_context', context: 'safe-2', standing: 'good' }).expect({ events: [], refusal: 'context_pinned' });
  });
});

describe('nothing is widened:', () => {
  test.each([
    ['a scope that the token lacks', { scopes: ['account'] }, { refusal: 'scope_not_held', scope: 'account' }],
    ['a resource outside the grant', { resources: ['https://c.example'] }, { refusal: 'resource_not_granted' }],
    [
      'a resource that is none any more',
      { resources: [second], allowed: { scopes: ['read'], resources: [first] } },
      { refusal: 'resource_not_granted' },
    ],
    [
      'a scope that the actor may not have',
      { scopes: ['read'], allowed: { scopes: [], resources: [first] } },
      { refusal: 'scope_not_delegable', scope: 'read' },
    ],
    ['no scope at all', { allowed: { scopes: [], resources: [first] } }, { refusal: 'no_scope_left' }],
    ['an empty list of scopes', { scopes: [] }, { refusal: 'no_scope_left' }],
  ] as const)('%s', (_, change, refused) => {
    expect(delegate(request(change))).toEqual({ ok: false, ...refused });
  });

  test('whatever is asked for, what is given was held and is allowed', () => {
    const names = document.scopes.map(({ name }) => name);
    const some = fc.subarray(names);
    fc.assert(
      fc.property(some, some, fc.option(some), fc.subarray([...terms.resources]), (held, allowed, scopes, resources) => {
        const decided = delegate(
          request({
            subject: { terms, source: source('g1'), scopes: held, resource: first },
            allowed: { scopes: allowed, resources: [first] },
            scopes,
            resources,
          }),
        );
        if (!decided.ok) return;
        const effective = new Set([...held, ...(held.includes('write') ? ['read'] : [])]);
        for (const scope of decided.terms.scopes) {
          expect(effective.has(scope) && allowed.includes(scope)).toBe(true);
          expect(['account', 'offline_access']).not.toContain(scope);
        }
        expect(decided.terms.resources).toEqual([first]);
      }),
    );
  });

  test('nobody acts for a client by itself', () => {
    const alone = { terms: { ...terms, account: null }, source: source('g1'), scopes: ['read'], resource: first };
    expect(delegate(request({ subject: alone }))).toEqual({ ok: false, refusal: 'nobody_behind_it' });
  });

  test('a chain ends at its limit', () => {
    const chained = (length: number) => ({
      terms: { ...terms, delegation: { actors: Array.from({ length }, (_, index) => `c${index}`), sources: [source('g1')] } },
      source: source('g2'),
      scopes: ['read'],
      resource: first,
    });
    expect(delegate(request({ subject: chained(delegationLimit - 1) }))).toMatchObject({ ok: true });
    expect(delegate(request({ subject: chained(delegationLimit) }))).toEqual({ ok: false, refusal: 'chain_too_long' });
  });
});
