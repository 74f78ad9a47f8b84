import { constantTimeEqualBytes } from './constant-time.ts';
import { sha256 } from './digest.ts';
import { randomToken } from './random.ts';

declare const plainSecret: unique symbol;

/** A client's secret as the client holds it, shown once. */
export type PlainSecret = string & { readonly [plainSecret]: true };

/** A new client secret: 256 random bits as 43 characters of `[A-Za-z0-9_-]`. */
export const createClientSecret = (): PlainSecret => randomToken(32) as PlainSecret;

/**
 * What is stored of a client secret: a SHA-256 digest in a domain of its own.
 * A fast digest is right because the secret is random; never use it for what a person chose.
 */
export const digestSecret = (secret: string): Uint8Array => sha256(`grantlog client secret v1\0${secret}`);

/** Whether a presented secret is the one digested. Constant time. */
export const matchesDigest = (secret: string, digest: Uint8Array): boolean => constantTimeEqualBytes(digestSecret(secret), digest);
