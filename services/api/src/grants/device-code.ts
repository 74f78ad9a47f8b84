import type { ClientStreamId } from '@grantlog/domain';
import { deviceCodeGrant as grantType } from '@grantlog/domain';
import { OAuthError } from '@grantlog/protocol';
import type { Deps } from '../deps.ts';
import { readSessionToken } from '../sessions/session-tokens.ts';
import { digestVerifier } from './code-verifier.ts';
import { exchangeToken } from './exchange.ts';
import { narrowingOf, readNarrowing } from './issue-rules.ts';
import type { GrantHandler } from './token-request.ts';

/**
 * `grant_type=urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 §3.4): polls for a session, and redeems it once a
 * person has linked it. A device code redeemed twice ends its grant, as an authorization code does.
 */
export const deviceCodeGrant = (deps: Deps): GrantHandler => ({
  grantType,
  exchange: (request) => {
    const { parameters } = request;
    const code = parameters.get('device_code');
    const claimed = code === undefined ? null : readSessionToken(code, 'session');
    // Most platforms lack this grant: that is said first.
    const missing = code === undefined ? new OAuthError('invalid_request', { description: 'device_code is missing' }) : null;
    const verifierDigest = digestVerifier(parameters.get('code_verifier'));
    const narrowing = readNarrowing(request);
    return exchangeToken(deps, request, {
      grantType,
      shown: claimed === null ? missing : { kind: 'session', claimed },
      command: (facts) => ({
        type: 'redeem_code',
        now: facts.now,
        client: facts.client as ClientStreamId,
        standing: facts.standing,
        redirectUri: null,
        verifierDigest,
        narrowing: narrowingOf(facts, narrowing),
        rules: facts.rules,
        proofKey: request.proofKey,
      }),
    });
  },
});
