import type { DpopRefusal } from './dpop-proof.ts';
import { verifiableAlgs } from './verify-jwt.ts';

/** Everything that a proof may be refused for: what it says of itself, and what only its receiver can tell. */
export type DpopFault = DpopRefusal | 'missing' | 'wrong_key' | 'untimely' | 'replayed';

/** What the sender of a refused proof is told, by every receiver alike. It holds nothing of the proof. */
export const dpopWords: Readonly<Record<DpopFault, string>> = {
  missing: 'A DPoP header with a proof is required beside this access token',
  malformed: 'There must be one DPoP header, and in it one proof: a signed JWT',
  wrong_type: 'The DPoP proof must have the typ dpop+jwt',
  algorithm_not_allowed: `The DPoP proof must be signed with one of ${verifiableAlgs.join(', ')}`,
  critical_header: 'The DPoP proof has a critical header that is not known here',
  unusable_key: 'The jwk of the DPoP proof must be a public key of its algorithm: RSA of 2048 to 4096 bits, P-256 or Ed25519',
  bad_signature: 'The signature of the DPoP proof does not fit its jwk',
  no_id: 'The DPoP proof needs a jti of 1 to 256 characters',
  wrong_method: 'The htm of the DPoP proof is not the method of this request',
  wrong_target: 'The htu of the DPoP proof is not the public URL of this request',
  no_time: 'The DPoP proof needs an iat in seconds since 1970',
  wrong_token: 'The ath of the DPoP proof does not fit the access token',
  wrong_key: 'The DPoP proof was made with another key than the access token is bound to',
  untimely: 'The iat of the DPoP proof is more than 60 seconds from now: make a new proof for each request, and check the clock',
  replayed: 'The DPoP proof was used before: make a new one for each request, with a jti of its own',
};
