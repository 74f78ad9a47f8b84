import { randomBytes, randomUUID } from 'node:crypto';

/** `bytes` random bytes as base64url: `Math.ceil(bytes * 4 / 3)` characters of `[A-Za-z0-9_-]`. */
export const randomToken = (bytes: number): string => randomBytes(bytes).toString('base64url');

/** 32 random bytes: a token key, a name key, a stream's token nonce. */
export const randomKey = (): Uint8Array => randomBytes(32);

/** A random UUIDv4, for ids that say nothing and need no order: commits, credentials, lineages. */
export const randomUuid = (): string => randomUUID();
