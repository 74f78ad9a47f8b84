export { authenticTiles, FalseTiles } from './authentic-tiles.ts';
export { canonicalJson, type JsonObject, type JsonValue } from './canonical-json.ts';
export {
  type Checkpoint,
  type CheckpointReading,
  type CheckpointRefusal,
  type LogIdentity,
  readCheckpoint,
  signCheckpoint,
} from './checkpoint.ts';
export { proveConsistency, verifyConsistency } from './consistency.ts';
export { type Cosignature, cosign, readCosignatures } from './cosignature.ts';
export { longestEntry, readEntryBundle, writeEntryBundle } from './entry-bundle.ts';
export type { ExcerptHead } from './excerpt/line.ts';
export type { ExcerptFault, ExcerptMisfit } from './excerpt/misfit.ts';
export { type ExcerptVerification, verifyExcerpt } from './excerpt/verify-excerpt.ts';
export { type ExcerptedEvent, writeExcerpt } from './excerpt/write-excerpt.ts';
export { type ChangedTile, type GrowingTree, openTree, type TreeOpening } from './growing-tree.ts';
export { proveInclusion, verifyInclusion } from './inclusion.ts';
export { leafFormat, leafOf } from './leaf.ts';
export {
  type LogProof,
  type LogProofRefusal,
  type LogProofVerification,
  readLogProof,
  verifyLogProof,
  writeLogProof,
} from './log-proof.ts';
export { type NoteAlgorithm, type NoteSigner, readVerifierKey, type VerifierKey, verifierKeyOf, writeVerifierKey } from './note-key.ts';
export { type LeafReading, type LeafRefusal, readLeaf } from './read-leaf.ts';
export { judgeNote, type NoteJudgement, type NoteSignature, parseNote, type SignedNote, signNote } from './signed-note.ts';
export type { StoredEvent } from './stored-event.ts';
export { rightEdge, type Tile, type TileReader, tileOf, tileWidth } from './tile.ts';
export { parseTilePath, type TileResource, tilePath } from './tile-path.ts';
export { emptyRoot, hashLeaf, hashNode } from './tree-hash.ts';
export { type LoggedEvent, type LogVerification, verifyLog } from './verify-log.ts';
