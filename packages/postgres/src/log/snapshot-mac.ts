import type { StoredSnapshot } from './load-batch.ts';

/** What signs and checks rows of `stream_state`; the process's sealer does both. */
export type SnapshotSealer = {
  readonly mac: (purpose: string, bytes: Uint8Array) => Uint8Array;
  readonly checkMac: (check: { readonly purpose: string; readonly bytes: Uint8Array; readonly mac: Uint8Array }) => boolean;
};

const purpose = 'stream_state';
const encoder = new TextEncoder();

type Signed = Omit<StoredSnapshot, 'mac'> & { readonly foldVersion: number };

// The leading fields contain no line break, and the state comes last, so no two rows encode alike.
const encode = (row: Signed): Uint8Array =>
  encoder.encode([row.platform, row.streamId, row.foldVersion, row.version, row.follows.join(','), row.state].join('\n'));

/** The MAC that makes an edited snapshot row visible: over every column of the row. */
export const signSnapshot = (sealer: SnapshotSealer, row: Signed): Uint8Array => sealer.mac(purpose, encode(row));

export const isGenuine = (sealer: SnapshotSealer, row: StoredSnapshot, foldVersion: number): boolean =>
  sealer.checkMac({ purpose, bytes: encode({ ...row, foldVersion }), mac: row.mac });
