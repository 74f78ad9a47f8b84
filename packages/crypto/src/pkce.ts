import { hash } from 'node:crypto';

/** The S256 code challenge of a code verifier. Whether the verifier is well-formed is the caller's to check. @see RFC 7636 §4.2 */
export const s256 = (verifier: string): string => hash('sha256', verifier, 'base64url');
