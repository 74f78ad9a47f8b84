import { verifiableAlgs } from '@grantlog/crypto';
import { type DpopHint, readAccessToken, type TokenScheme } from '@grantlog/protocol';
import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { judgeProof, type KeyProof, type ProofOf } from './prove-key.ts';

/** An access token as a request shows it. Nothing is proved yet. */
export type ShownToken = {
  readonly scheme: TokenScheme;
  /** Empty for what cannot be a token: it is looked up like one that can, so that no branch tells them apart. */
  readonly token: string;
  /** Judges the proof that came with it, and spends it, once: whoever asks again hears the same. */
  readonly prove: (of: Omit<ProofOf, 'accessToken'>) => Promise<KeyProof>;
};

/** What the challenges of a refusal say of proofs: those of a token that was shown with one are of its own scheme. */
export const dpopHint = (scheme: TokenScheme): DpopHint => ({ scheme, algs: verifiableAlgs });

/** What refusals of a shown token, whatever their reason, say of proofs; nothing where the token came without. */
export const dpopOf = (shown: Pick<ShownToken, 'scheme'>): DpopHint | undefined => (shown.scheme === 'DPoP' ? dpopHint('DPoP') : undefined);

/** The access token of a request's Authorization header, of either scheme; null where there is none. */
export const readShownToken = (deps: Pick<Deps, 'config' | 'hosts' | 'provisioning'>, request: FastifyRequest): ShownToken | null => {
  const credentials = readAccessToken(request.headers.authorization);
  if (credentials.kind === 'absent') return null;
  const token = credentials.kind === 'malformed' ? '' : credentials.token;
  let judged: Promise<KeyProof> | null = null;
  return {
    scheme: credentials.scheme,
    token,
    prove: (of) => {
      judged ??= judgeProof(deps, request, { ...of, accessToken: token });
      return judged;
    },
  };
};
