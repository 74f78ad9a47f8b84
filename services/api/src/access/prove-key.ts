import { type DpopFault, dpopWords, verifyDpopProof } from '@grantlog/crypto';
import type { PlatformId } from '@grantlog/eventsourcing';
import { spendProof } from '@grantlog/postgres';
import { OAuthError } from '@grantlog/protocol';
import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { targetsOf } from './request-targets.ts';

export type KeyProof = { readonly outcome: 'proved'; readonly jkt: string } | { readonly outcome: 'refused'; readonly fault: DpopFault };

/** What a proof has to be of. */
export type ProofOf = {
  readonly platform: PlatformId;
  /** The access token that came with it; null where none did. */
  readonly accessToken: string | null;
  /** The key that it has to be of; null for any. */
  readonly jkt: string | null;
};

/**
 * Judges the proof of possession in a request's `DPoP` header, and spends it: everything else about it is good by then, so a
 * proof that was refused can be looked at again, and one that was taken cannot be shown again.
 *
 * @throws LogUnavailable when it cannot be spent.
 * @see RFC 9449 §4.3
 */
export const judgeProof = async (
  deps: Pick<Deps, 'config' | 'hosts' | 'provisioning'>,
  request: FastifyRequest,
  { platform, accessToken, jkt }: ProofOf,
): Promise<KeyProof> => {
  const refused = (fault: DpopFault): KeyProof => ({ outcome: 'refused', fault });
  const { dpop: proof } = request.headers;
  if (proof === undefined) return refused('missing');
  if (typeof proof !== 'string') return refused('malformed');
  const targets = targetsOf(deps, request);
  const verified = await verifyDpopProof({ proof, method: request.method, targets, accessToken });
  if (verified.outcome === 'refused') return refused(verified.reason);
  if (jkt !== null && verified.jkt !== jkt) return refused('wrong_key');
  const use = await spendProof(deps.provisioning.pool, platform, verified);
  return use === 'spent' ? { outcome: 'proved', jkt: verified.jkt } : refused(use);
};

/**
 * The key whose possession a request proves by its `DPoP` header, as a thumbprint; null where it has none. The proof is spent.
 *
 * @throws OAuthError `invalid_dpop_proof`, 400
 * @throws LogUnavailable
 * @see RFC 9449 §5
 */
export const proveKey = async (
  deps: Pick<Deps, 'config' | 'hosts' | 'provisioning'>,
  request: FastifyRequest,
  platform: PlatformId,
): Promise<string | null> => {
  if (request.headers['dpop'] === undefined) return null;
  const proof = await judgeProof(deps, request, { platform, accessToken: null, jkt: null });
  if (proof.outcome === 'proved') return proof.jkt;
  throw new OAuthError('invalid_dpop_proof', { description: dpopWords[proof.fault], reason: `DPoP: ${proof.fault}` });
};
