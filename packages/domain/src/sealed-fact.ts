import type { Placement, StreamId } from '@grantlog/eventsourcing';

/**
 * Personal data of one event as a folded state carries it: still sealed, as base64, with the place it was sealed for.
 * Stream and version are part of the associated data, so the ciphertext opens nowhere else; without the subject's
 * data key it reads as erased.
 */
export type SealedFact = { readonly sealed: string; readonly streamId: StreamId; readonly version: number };

/** The sealed personal data of a placed event in a form that survives JSON, or null when the event carries none. */
export const sealedFact = (event: Pick<Placement, 'streamId' | 'version'> & { readonly personal: Uint8Array | null }): SealedFact | null =>
  event.personal === null ? null : { sealed: event.personal.toBase64(), streamId: event.streamId, version: event.version };
