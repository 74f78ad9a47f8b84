import { s256 } from '@grantlog/crypto';
import type { ClientStreamId } from '@grantlog/domain';
import { isCodeVerifier, OAuthError } from '@grantlog/protocol';
import type { Deps } from '../deps.ts';
import { readToken } from '../tokens/read-token.ts';
import { exchangeToken } from './exchange.ts';
import { narrowingOf, readNarrowing } from './issue-rules.ts';
import type { GrantHandler } from './token-request.ts';

/** `grant_type=authorization_code` (RFC 6749 §4.1.3). A code redeemed twice ends its grant. */
export const authorizationCodeGrant = (deps: Deps): GrantHandler => ({
  grantType: 'authorization_code',
  exchange: (request) => {
    const { parameters } = request;
    const code = parameters.require('code');
    const verifier = parameters.get('code_verifier');
    if (verifier !== undefined && !isCodeVerifier(verifier)) {
      throw new OAuthError('invalid_request', { description: 'code_verifier must be 43 to 128 unreserved characters' });
    }
    const narrowing = readNarrowing(request);
    return exchangeToken(deps, request, {
      grantType: 'authorization_code',
      kind: 'code',
      claimed: readToken(code),
      command: (facts) => ({
        type: 'redeem_code',
        now: facts.now,
        client: facts.client as ClientStreamId,
        standing: facts.standing,
        redirectUri: parameters.get('redirect_uri') ?? null,
        verifierDigest: verifier === undefined ? null : s256(verifier),
        narrowing: narrowingOf(facts, narrowing),
        rules: facts.rules,
      }),
    });
  },
});
