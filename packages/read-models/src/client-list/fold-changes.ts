import type { StreamId } from '@grantlog/eventsourcing';
import type { ClientListChange, ClientRow } from './row.ts';

const idOf = (change: ClientListChange): StreamId => (change.kind === 'begin' ? change.row.client : change.client);

/** Rows that changes touch: they have to be read first. */
export const rowsNeeded = (changes: readonly ClientListChange[]): readonly StreamId[] => [...new Set(changes.map(idOf))];

const apply = (row: ClientRow, change: Exclude<ClientListChange, { readonly kind: 'begin' }>): ClientRow => {
  const { version, position } = change;
  switch (change.kind) {
    case 'patch':
      return { ...row, ...change.set, version, position };
    case 'approve':
      return {
        ...row,
        name: row.proposedName ?? row.name,
        approval: 'approved',
        hasProposal: false,
        proposedName: null,
        version,
        position,
      };
  }
};

/**
 * Applies changes to the rows that stand and returns the rows to write. A row already at a change's version keeps what it has.
 *
 * @throws Error for a change to a client that was never registered: the log always registers one first.
 */
export const foldChanges = (standing: readonly ClientRow[], changes: readonly ClientListChange[]): readonly ClientRow[] => {
  const rows = new Map(standing.map((row) => [row.client, row]));
  const changed = new Map<StreamId, ClientRow>();
  for (const change of changes) {
    const id = idOf(change);
    const row = rows.get(id);
    const version = change.kind === 'begin' ? change.row.version : change.version;
    if (row !== undefined && row.version >= version) continue;
    if (change.kind !== 'begin' && row === undefined)
      throw new Error(`client ${id} changed at version ${version} before it was registered`);
    const next = change.kind === 'begin' ? change.row : apply(row as ClientRow, change);
    rows.set(id, next);
    changed.set(id, next);
  }
  return [...changed.values()];
};
