import type { ClientRecord } from '@grantlog/domain';
import { sameJson } from '@grantlog/domain';
import type { ClientCredentials } from '@grantlog/protocol';

/** What a client's assertions are verified with. */
export type AssertionKeys = Pick<ClientRecord, 'jwks' | 'jwksUri' | 'assertionAlg'>;

/**
 * What a client has shown of itself: its id alone, a secret that is still to be compared, or an assertion that was proved and
 * used up. `provedWith` is the keys of its registration that it was proved with; null where they were those of its document.
 */
export type ClientProof =
  | Exclude<ClientCredentials, { readonly method: 'private_key_jwt' }>
  | { readonly method: 'private_key_jwt'; readonly clientId: string; readonly provedWith: AssertionKeys | null };

export const assertionKeysOf = ({ jwks, jwksUri, assertionAlg }: AssertionKeys): AssertionKeys => ({ jwks, jwksUri, assertionAlg });

/** Whether a client still has the keys that it had a moment ago: what was proved with others counts no more. */
export const hasKeysStill = (client: AssertionKeys, provedWith: AssertionKeys | null): boolean =>
  provedWith === null || sameJson(assertionKeysOf(client), provedWith);
