import type { ClientStreamId } from '@grantlog/domain';
import type { Deps } from '../deps.ts';
import { readToken } from '../tokens/read-token.ts';
import { digestVerifier } from './code-verifier.ts';
import { exchangeToken } from './exchange.ts';
import { narrowingOf, readNarrowing } from './issue-rules.ts';
import type { GrantHandler } from './token-request.ts';

/** `grant_type=authorization_code` (RFC 6749 §4.1.3). A code redeemed twice ends its grant. */
export const authorizationCodeGrant = (deps: Deps): GrantHandler => ({
  grantType: 'authorization_code',
  exchange: (request) => {
    const { parameters } = request;
    const claimed = readToken(parameters.require('code'));
    const verifierDigest = digestVerifier(parameters.get('code_verifier'));
    const narrowing = readNarrowing(request);
    return exchangeToken(deps, request, {
      grantType: 'authorization_code',
      shown: claimed === null ? null : { kind: 'code', claimed },
      command: (facts) => ({
        type: 'redeem_code',
        now: facts.now,
        client: facts.client as ClientStreamId,
        standing: facts.standing,
        redirectUri: parameters.get('redirect_uri') ?? null,
        verifierDigest,
        narrowing: narrowingOf(facts, narrowing),
        rules: facts.rules,
        proofKey: request.proofKey,
      }),
    });
  },
});
