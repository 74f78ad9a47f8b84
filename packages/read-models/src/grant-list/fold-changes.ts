import type { StreamId } from '@grantlog/eventsourcing';
import type { GrantListChange, GrantRow } from './row.ts';

type RowChange = Exclude<GrantListChange, { readonly kind: 'cut_off' }>;

const idOf = (change: RowChange): StreamId => (change.kind === 'begin' ? change.row.grantId : change.grantId);

/** Rows that changes touch but do not begin: they have to be read first. */
export const rowsNeeded = (changes: readonly RowChange[]): readonly StreamId[] => [...new Set(changes.map(idOf))];

/**
 * Applies changes to the rows that stand and returns the rows to write. A row already at a change's version keeps what it has.
 *
 * @throws Error for a change to a grant that never began: the log always begins one first.
 */
export const foldChanges = (standing: readonly GrantRow[], changes: readonly RowChange[]): readonly GrantRow[] => {
  const rows = new Map(standing.map((row) => [row.grantId, row]));
  const changed = new Map<StreamId, GrantRow>();
  for (const change of changes) {
    const id = idOf(change);
    const row = rows.get(id);
    const version = change.kind === 'begin' ? change.row.version : change.version;
    if (row !== undefined && row.version >= version) continue;
    if (change.kind === 'patch' && row === undefined) throw new Error(`grant ${id} changed at version ${version} before it began`);
    const next: GrantRow =
      change.kind === 'begin' ? change.row : { ...(row as GrantRow), ...change.set, version, position: change.position };
    rows.set(id, next);
    changed.set(id, next);
  }
  return [...changed.values()];
};
