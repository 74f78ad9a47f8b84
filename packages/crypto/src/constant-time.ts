import { timingSafeEqual } from 'node:crypto';
import { sha256 } from './digest.ts';

/** Whether two byte strings are equal, in time that depends on their lengths alone. */
export const constantTimeEqualBytes = (a: Uint8Array, b: Uint8Array): boolean => a.byteLength === b.byteLength && timingSafeEqual(a, b);

/**
 * Whether two texts are equal, in time that tells nothing about where they differ.
 *
 * Their digests are compared, so texts of different lengths are fine. Texts are compared as UTF-8: all lone surrogates count as one.
 */
export const constantTimeEqual = (a: string, b: string): boolean => timingSafeEqual(sha256(a), sha256(b));
