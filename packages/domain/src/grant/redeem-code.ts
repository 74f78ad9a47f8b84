import type { Decision } from '@grantlog/eventsourcing';
import { record, refuse } from '@grantlog/eventsourcing';
import type { GrantCommand, GrantRefusal } from './commands.ts';
import type { CodeTerms, GrantEvent } from './events.ts';
import { issueOf, select } from './issue.ts';
import type { GrantState } from './state.ts';

type RedeemCode = Extract<GrantCommand, { type: 'redeem_code' }>;
type Redeemable = Extract<GrantState, { status: 'authorized' | 'active' }>;

/** Redirect URI and PKCE, checked before anything is consumed (RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §4.8.2). */
const checkBinding = (code: CodeTerms, command: RedeemCode): GrantRefusal | null => {
  if (command.redirectUri === null && code.redirectUriSent) return 'redirect_uri_missing';
  if (command.redirectUri !== null && command.redirectUri !== code.redirectUri) return 'redirect_uri_mismatch';
  if (code.codeChallenge === null) return command.verifierDigest === null ? null : 'verifier_unexpected';
  if (command.verifierDigest === null) return 'verifier_missing';
  return command.verifierDigest === code.codeChallenge ? null : 'verifier_mismatch';
};

export const redeemCode = (command: RedeemCode, state: Redeemable): Decision<GrantEvent, GrantRefusal> => {
  if (state.terms.client !== command.client) return refuse('wrong_client');
  if (state.code === null) return refuse('unknown_grant');
  const unbound = checkBinding(state.code, command);
  if (unbound !== null) return refuse(unbound);
  if (state.code.dpopJkt !== undefined && state.code.dpopJkt !== command.proofKey) return refuse('proof_key_mismatch');
  if (state.status === 'active') {
    // The code came a second time: somebody else may hold what it gave (RFC 6749 §4.1.2, RFC 9700 §4.5).
    return refuse(
      'code_replayed',
      { type: 'grant.code_replayed', data: { by: 'client', redeemedAt: state.redeemedAt } },
      { type: 'grant.revoked', data: { reason: 'code_replayed', by: command.client } },
    );
  }
  if (command.now >= state.code.expiresAt * 1000) return refuse('code_expired');
  const selection = select(state.terms, command.narrowing);
  if (!selection.ok) return refuse(selection.refusal);
  const issue = issueOf({
    sequence: 1,
    now: command.now,
    authorizedAt: state.authorizedAt,
    rules: command.rules,
    selection,
    proofKey: command.proofKey,
    context: state.context,
  });
  if (issue.accessExpiresAt * 1000 <= command.now) return refuse('code_expired');
  return record({ type: 'grant.code_redeemed', data: { issue } });
};
