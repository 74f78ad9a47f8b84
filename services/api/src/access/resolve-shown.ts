import { dpopWords } from '@grantlog/crypto';
import type { Loaded } from '@grantlog/eventsourcing';
import type { BearerRefusal, DpopHint } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { type LiveToken, type ResolveOptions, resolveAccess } from './resolve-access.ts';
import { dpopHint, dpopOf, type ShownToken } from './shown-token.ts';

/** Why a shown token gives nothing, as its bearer is told. */
type ShownRefusal = {
  readonly code: Extract<BearerRefusal, 'invalid_token' | 'expired_token' | 'invalid_dpop_proof'>;
  readonly description: string;
  /** In words for the log. */
  readonly reason: string;
  readonly dpop: DpopHint | undefined;
  /** Whether the token itself lives, and only the way in which it was shown is refused. */
  readonly isLive: boolean;
};

export type ResolvedShown = { readonly loaded: Loaded } & (
  | { readonly live: LiveToken; readonly refusal: null }
  | { readonly live: null; readonly refusal: ShownRefusal }
);

/** What is wrong with how a living token was shown; null where nothing is. */
const checkBinding = async (names: PlatformNames, { grant }: LiveToken, shown: ShownToken): Promise<ShownRefusal | null> => {
  const { jkt } = grant.current;
  const isProved = shown.scheme === 'DPoP';
  if (jkt === undefined) {
    if (!isProved) return null;
    const description = 'The access token is not bound to a key: show it as Bearer';
    return { code: 'invalid_token', description, reason: 'an unbound token with the scheme DPoP', dpop: dpopOf(shown), isLive: true };
  }
  if (!isProved) {
    const description = 'The access token is bound to a key: show it with the scheme DPoP and a proof';
    return { code: 'invalid_token', description, reason: 'a bound token with the scheme Bearer', dpop: dpopHint('Bearer'), isLive: true };
  }
  const proof = await shown.prove({ platform: names.platform, jkt });
  if (proof.outcome === 'proved') return null;
  const { fault } = proof;
  // A good proof of another key says that the token is not the sender's; everything else is a fault of the proof (RFC 9449 §7.1).
  const code = fault === 'wrong_key' ? 'invalid_token' : 'invalid_dpop_proof';
  return { code, description: dpopWords[fault], reason: `DPoP: ${fault}`, dpop: dpopOf(shown), isLive: true };
};

/**
 * What an access token gives that a request shows in its Authorization header. Every endpoint of ours that takes tokens asks
 * here: one that is bound to a key is good with a proof of that key alone, and one that is not is good without (RFC 9449 §7.1,
 * §7.2). Binding is the grant's: a token from before it was bound is shown like those that came after.
 *
 * @throws LogUnavailable
 */
export const resolveShown = async (
  deps: Pick<Deps, 'log' | 'keys' | 'config'>,
  names: PlatformNames,
  shown: ShownToken,
  options: ResolveOptions = {},
): Promise<ResolvedShown> => {
  const { live, reason, expired, loaded } = await resolveAccess(deps, names, shown.token, options);
  if (live === null) {
    const code = expired ? 'expired_token' : 'invalid_token';
    const description = expired ? 'The access token has expired' : 'The access token is invalid, expired or revoked';
    return { live: null, loaded, refusal: { code, description, reason, dpop: dpopOf(shown), isLive: false } };
  }
  const refusal = await checkBinding(names, live, shown);
  return refusal === null ? { live, loaded, refusal } : { live: null, loaded, refusal };
};
