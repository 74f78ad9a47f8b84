import { parsePlatformDocument } from '@grantlog/domain';
import { describe, expect, test } from 'vitest';
import { contextPart, isAllowable, judgeContext, offerContexts } from '../../src/pages/context-choice.ts';
import { tenantJson } from '../management/support/world.ts';

const issuer = 'http://localhost:4000/safes';
const things = `${issuer}/things`;
const own = `${issuer}/account`;
const contexts = [
  { id: 'safe_1', name: 'One' },
  { id: 'safe_2', name: 'Two' },
];

const documentOf = (choice: object | null) => {
  const scopes = ['read', 'account'].map((name) => ({ name, description: name }));
  const resources = [{ uri: things, name: 'Things', scopes: ['read'], perContext: choice !== null }];
  const parsed = parsePlatformDocument(tenantJson('safes', { contexts: choice, scopes, resources }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.document;
};
const offerOf = (
  choice: object | null,
  {
    resources = [things],
    pinnedContext = null,
    has = contexts,
  }: { resources?: string[]; pinnedContext?: string | null; has?: typeof contexts } = {},
) => offerContexts({ document: documentOf(choice), issuer }, { resources, pinnedContext }, has);

const optional = { noun: 'Safe' };
const required = { noun: 'Safe', required: true };

describe('a person is offered', () => {
  test.each([
    ['nothing on a platform without contexts', offerOf(null), 'nothing'],
    ['nothing for what this server is itself', offerOf(required, { resources: [own] }), 'nothing'],
    ['nothing where they have none and need none', offerOf(optional, { has: [] }), 'nothing'],
    ['a choice for a resource of the platform', offerOf(optional), 'choice'],
    ['a choice for a resource of the platform beside our own', offerOf(optional, { resources: [own, things] }), 'choice'],
    ['a choice where no resource is named', offerOf(optional, { resources: [] }), 'choice'],
    ['the very one that is asked for', offerOf(optional, { pinnedContext: 'safe_2' }), 'pinned'],
    ['none that is not theirs', offerOf(optional, { pinnedContext: 'safe_3' }), 'foreign'],
  ] as const)('%s', (_, offer, kind) => expect(offer.kind).toBe(kind));

  test('nothing to allow where they lack what is needed', () => {
    expect([offerOf(required, { has: [] }), offerOf(optional, { pinnedContext: 'safe_3' })].map(isAllowable)).toEqual([false, false]);
    expect([offerOf(optional, { has: [] }), offerOf(required), offerOf(required, { resources: [own], has: [] })].map(isAllowable)).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('names that are text and no markup, told apart where two are the same', () => {
    const has = [
      { id: 'a', name: '<img src=x>' },
      { id: 'b', name: 'Same' },
      { id: 'c', name: 'Same' },
    ];
    const text = contextPart(offerOf(optional, { has }))?.text ?? '';
    expect([text.includes('<img'), text.includes('&lt;img src=x&gt;')]).toEqual([false, true]);
    for (const id of ['b', 'c']) expect(text).toContain(`Same (<code>${id}</code>)`);
  });
});

describe('what is chosen', () => {
  test.each([
    [offerOf(null), null, null],
    [offerOf(optional), null, null],
    [offerOf(optional), 'safe_1', 'safe_1'],
    [offerOf(required), 'safe_2', 'safe_2'],
    [offerOf(optional, { pinnedContext: 'safe_2' }), null, 'safe_2'],
    [offerOf(optional, { pinnedContext: 'safe_2' }), 'safe_2', 'safe_2'],
  ] as const)('counts as it was offered', (offer, chosen, context) =>
    expect(judgeContext(offer, chosen)).toEqual({ outcome: 'chosen', context }),
  );

  test.each([
    ['where nothing is offered', offerOf(null), 'safe_1'],
    ['for what this server is itself', offerOf(optional, { resources: [own] }), 'safe_1'],
    ['that is not theirs', offerOf(optional), 'safe_3'],
    ['but needed', offerOf(required), null],
    ['beside the very one that is asked for', offerOf(optional, { pinnedContext: 'safe_2' }), 'safe_1'],
    ['of another account', offerOf(optional, { pinnedContext: 'safe_3' }), 'safe_3'],
    ['where they have none', offerOf(required, { has: [] }), null],
  ] as const)('is refused %s', (_, offer, chosen) => expect(judgeContext(offer, chosen).outcome).toBe('refused'));
});
