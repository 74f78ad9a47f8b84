import type { Decision } from '@grantlog/eventsourcing';
import { record, refuse } from '@grantlog/eventsourcing';
import type { GrantCommand, GrantRefusal } from './commands.ts';
import type { GrantEvent, RevocationReason } from './events.ts';
import { issueOf, type Selection, select } from './issue.ts';
import type { GrantState } from './state.ts';

type Refresh = Extract<GrantCommand, { type: 'refresh' }>;
type Active = Extract<GrantState, { status: 'active' }>;

const reused = (command: Refresh, state: Active, reason: Extract<RevocationReason, 'refresh_reused' | 'refresh_retried_too_often'>) =>
  refuse<typeof reason, GrantEvent>(
    reason,
    { type: 'grant.refresh_reused', data: { sequence: command.presented.sequence, current: state.current.sequence } },
    { type: 'grant.revoked', data: { reason, by: command.client } },
  );

const asks = (state: Active, selection: Extract<Selection, { ok: true }>): boolean =>
  selection.resource === state.current.resource &&
  selection.scopes.length === state.current.scopes.length &&
  selection.scopes.every((scope, index) => scope === state.current.scopes[index]);

/** The predecessor came again: a lost response inside the window, reuse outside it (design §5.3). */
const retry = (command: Refresh, state: Active, selection: Extract<Selection, { ok: true }>): Decision<GrantEvent, GrantRefusal> => {
  const age = command.now - state.current.issuedAt;
  // The database's clock went back: neither a retry nor a reuse can be told, so nothing is given and nothing revoked.
  if (age < 0) return refuse('clock_stepped_back');
  if (command.retry.retrySeconds === 0 || age > command.retry.retrySeconds * 1000) return reused(command, state, 'refresh_reused');
  // A key that was not there the first time is another request than the one that was answered.
  if (!asks(state, selection) || (state.current.jkt ?? null) !== command.proofKey) return refuse('retry_differs');
  const { sequence } = state.current;
  if (sequence < state.accessNotBefore || state.revokedAccess.some((revoked) => revoked.sequence === sequence))
    return refuse('retry_of_revoked');
  if (state.retried) return record();
  // A thief and a client who take turns inside the window look like this, too.
  if (state.retriedInARow >= command.retry.retryLimit) return reused(command, state, 'refresh_retried_too_often');
  return record({ type: 'grant.refresh_retried', data: { sequence } });
};

/**
 * Rotation, retry or reuse: the winner is whoever appends first, and every other caller decides anew on what stands.
 * The caller finds the pair to answer with in the state after this decision: always its current issue.
 */
export const refresh = (command: Refresh, state: Active): Decision<GrantEvent, GrantRefusal> => {
  const { presented } = command;
  // Not the client's token to spend; revoking here would let anybody end a grant (design §5.3).
  if (state.terms.client !== command.client) return refuse('wrong_client');
  // As with a code, what the request is bound by comes before anything is spent or ended.
  if (command.redirectUri !== null && command.redirectUri !== state.code?.redirectUri) return refuse('redirect_uri_mismatch');
  const isWithoutKey = state.current.jkt !== undefined && state.current.jkt !== command.proofKey;
  // Whoever cannot show the key of the tokens holds a copy of one: nothing is spent or ended by it (RFC 9449 §5).
  if (isWithoutKey && presented.sequence >= (state.boundFrom ?? 0)) return refuse('proof_key_mismatch');
  if (presented.sequence > state.current.sequence) return refuse('sequence_unknown');
  // A predecessor still has its retry and its reuse, though its successor came without a refresh token.
  if (presented.sequence === state.current.sequence && state.current.refreshExpiresAt === null) return refuse('sequence_unknown');
  if (command.now >= presented.expiresAt * 1000) return refuse('refresh_expired');
  // One from before there was a key: somebody else has spent it and bound the grant, so no window excuses its coming again.
  if (isWithoutKey || presented.sequence < state.current.sequence - 1) return reused(command, state, 'refresh_reused');
  const selection = select(state.terms, command.narrowing);
  if (!selection.ok) return refuse(selection.refusal);
  if (presented.sequence === state.current.sequence - 1) return retry(command, state, selection);
  const issue = issueOf({
    sequence: state.current.sequence + 1,
    now: command.now,
    authorizedAt: state.authorizedAt,
    rules: command.rules,
    selection,
    proofKey: command.proofKey,
    context: state.context,
  });
  // The cap on the grant was lowered below its age: what would be issued is over already.
  if (issue.accessExpiresAt * 1000 <= command.now) return refuse('refresh_expired');
  return record({ type: 'grant.refreshed', data: { issue } });
};
