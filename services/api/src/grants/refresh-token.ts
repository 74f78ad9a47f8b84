import type { ClientStreamId } from '@grantlog/domain';
import type { Deps } from '../deps.ts';
import { readToken } from '../tokens/read-token.ts';
import { exchangeToken } from './exchange.ts';
import { narrowingOf, readNarrowing } from './issue-rules.ts';
import type { GrantHandler } from './token-request.ts';

/**
 * `grant_type=refresh_token` (RFC 6749 §6): rotation, with the retry of a lost response as design §5.3 has it.
 * RFC 6749 knows no `redirect_uri` here; some platforms document one, so one that is sent has to be that of the code.
 */
export const refreshTokenGrant = (deps: Deps): GrantHandler => ({
  grantType: 'refresh_token',
  exchange: (request) => {
    const claimed = readToken(request.parameters.require('refresh_token'));
    const narrowing = readNarrowing(request);
    return exchangeToken(deps, request, {
      grantType: 'refresh_token',
      shown: claimed === null ? null : { kind: 'refresh', claimed },
      command: (facts) => ({
        type: 'refresh',
        now: facts.now,
        client: facts.client as ClientStreamId,
        standing: facts.standing,
        presented: facts.presented,
        redirectUri: request.parameters.get('redirect_uri') ?? null,
        narrowing: narrowingOf(facts, narrowing),
        rules: facts.rules,
        proofKey: request.proofKey,
        retry: { retrySeconds: facts.document.refresh.retrySeconds, retryLimit: facts.document.refresh.retryLimit },
      }),
    });
  },
});
