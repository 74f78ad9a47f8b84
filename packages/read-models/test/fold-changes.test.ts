import type { StreamId } from '@grantlog/eventsourcing';
import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldChanges } from '../src/grant-list/fold-changes.ts';
import type { GrantListChange, GrantRow } from '../src/grant-list/row.ts';

type RowChange = Exclude<GrantListChange, { readonly kind: 'cut_off' }>;

const rowOf = (grantId: string): GrantRow => ({
  grantId: grantId as StreamId,
  version: 1,
  firstPosition: 1,
  position: 1,
  flow: 'authorization_code',
  client: 'c' as never,
  clientId: 'c',
  account: null,
  session: null,
  scopes: [],
  resources: [],
  context: null,
  status: 'authorized',
  reason: null,
  tokenSequence: 0,
  authorizedAt: 1,
  lastIssuedAt: null,
  expiresAt: null,
  endedAt: null,
});

/** A history of two grants: each begins, then moves on version by version. */
const history = array(record({ grant: constantFrom('a', 'b'), sequence: integer({ min: 1, max: 99 }) }), { maxLength: 30 }).map((moves) => {
  const versions = new Map<string, number>();
  return moves.map(({ grant, sequence }, index): RowChange => {
    const version = (versions.get(grant) ?? 0) + 1;
    versions.set(grant, version);
    return version === 1
      ? { kind: 'begin', row: rowOf(grant) }
      : { kind: 'patch', grantId: grant as StreamId, version, position: index + 1, set: { tokenSequence: sequence } };
  });
});

const byId = (rows: readonly GrantRow[]): readonly GrantRow[] => [...rows].sort((a, b) => a.grantId.localeCompare(b.grantId));
const merge = (before: readonly GrantRow[], written: readonly GrantRow[]): readonly GrantRow[] => [
  ...before.filter((row) => !written.some(({ grantId }) => grantId === row.grantId)),
  ...written,
];

describe('folding changes into rows', () => {
  test('comes to the same in one batch or in two, and taking a part in twice changes nothing', () => {
    assert(
      property(history, integer({ min: 0, max: 30 }), integer({ min: 0, max: 30 }), (changes, cut, again) => {
        const whole = foldChanges([], changes);
        const first = foldChanges([], changes.slice(0, cut));
        const second = merge(first, foldChanges(first, changes.slice(cut)));
        expect(byId(second)).toEqual(byId(whole));
        expect(foldChanges(whole, changes.slice(0, again))).toEqual([]);
      }),
    );
  });

  test('refuses a change to a grant that never began', () => {
    const change: RowChange = { kind: 'patch', grantId: 'a' as StreamId, version: 2, position: 2, set: {} };
    expect(() => foldChanges([], [change])).toThrow(/before it began/);
  });
});
