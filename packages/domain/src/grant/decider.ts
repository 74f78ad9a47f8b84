import type { Decider, Decision } from '@grantlog/eventsourcing';
import { record, refuse } from '@grantlog/eventsourcing';
import type { GrantCommand, GrantRefusal } from './commands.ts';
import type { GrantEvent } from './events.ts';
import { issueOf, select, withinSources } from './issue.ts';
import { redeemCode } from './redeem-code.ts';
import { refresh } from './refresh.ts';
import { evolveGrant, type GrantState, initialGrant } from './state.ts';

type Decided = Decision<GrantEvent, GrantRefusal>;

/** The person's choice is a fact of its own, as every later one is. */
const chosen = (context: string | null): readonly GrantEvent[] =>
  context === null ? [] : [{ type: 'grant.context_selected', data: { context } }];

/** The first event of a grant's stream: the decision of a person, or of the platform for a client by itself. */
const open = (command: Extract<GrantCommand, { type: 'authorize' | 'deny' | 'issue_to_client' }>): Decided => {
  switch (command.type) {
    case 'authorize':
      return record({ type: 'grant.authorized', data: { ...command.terms, code: command.code, issue: null } }, ...chosen(command.context));
    case 'deny':
      return record({ type: 'grant.denied', data: { ...command.terms, reason: 'by_account' } });
    case 'issue_to_client': {
      const selection = select(command.terms, command.narrowing);
      if (!selection.ok) return refuse(selection.refusal);
      const { now, rules, proofKey, context } = command;
      const issue = withinSources(command.terms, issueOf({ sequence: 1, now, authorizedAt: now, rules, selection, proofKey, context }));
      return record({ type: 'grant.authorized', data: { ...command.terms, code: null, issue } }, ...chosen(context));
    }
  }
};

/** When nothing of the grant can be used any more; whole seconds since the epoch. */
export const endOfUse = (state: Extract<GrantState, { status: 'authorized' | 'active' }>): number =>
  state.status === 'authorized' ? state.code.expiresAt : Math.max(state.current.accessExpiresAt, state.current.refreshExpiresAt ?? 0);

const decide = (command: GrantCommand, state: GrantState): Decided => {
  if (command.type === 'authorize' || command.type === 'deny' || command.type === 'issue_to_client') {
    return state.status === 'none' ? open(command) : refuse('already_decided');
  }
  switch (state.status) {
    case 'none':
      return refuse('unknown_grant');
    case 'denied':
      return refuse('grant_denied');
    case 'ended':
      return refuse('grant_ended');
    case 'authorized':
    case 'active':
      break;
  }
  switch (command.type) {
    case 'redeem_code':
      if (command.standing !== 'good') return refuse('not_standing');
      return redeemCode(command, state);
    case 'refresh':
      if (command.standing !== 'good') return refuse('not_standing');
      return state.status === 'authorized' ? refuse('code_not_redeemed') : refresh(command, state);
    case 'revoke_by_token':
      if (state.terms.client !== command.client) return refuse('wrong_client');
      if (state.status !== 'active' || command.presented.sequence > state.current.sequence) return refuse('sequence_unknown');
      return record({ type: 'grant.revoked', data: { reason: 'token_revoked', by: command.client } });
    case 'revoke_access_token': {
      if (state.terms.client !== command.client) return refuse('wrong_client');
      const { sequence, expiresAt } = command.presented;
      if (state.status !== 'active' || sequence > state.current.sequence || sequence < 1) return refuse('sequence_unknown');
      const dead = command.now >= expiresAt * 1000 || sequence < state.accessNotBefore;
      if (dead || state.revokedAccess.some((revoked) => revoked.sequence === sequence)) return record();
      return record({ type: 'grant.access_token_revoked', data: { sequence, accessExpiresAt: expiresAt } });
    }
    case 'revoke':
      return record({ type: 'grant.revoked', data: { reason: command.reason, by: command.by } });
    case 'select_context':
      if (command.standing !== 'good') return refuse('not_standing');
      if (state.status === 'authorized') return refuse('code_not_redeemed');
      if (state.terms.contextPinned === true) return refuse('context_pinned');
      return state.context === command.context ? record() : record({ type: 'grant.context_selected', data: { context: command.context } });
    case 'expire':
      return command.now >= endOfUse(state) * 1000 ? record({ type: 'grant.expired', data: { at: command.now } }) : refuse('not_expired');
  }
};

/**
 * The grant: from the decision that opens it to its end. Tokens belong to it and are computed from what it records.
 * A refusal may carry events: a replayed code or refresh token ends the grant and refuses the caller in one append.
 */
export const grantDecider: Decider<GrantState, GrantCommand, GrantEvent, GrantRefusal> = {
  initial: initialGrant,
  decide,
  evolve: evolveGrant,
};

/** Whether an access token of this grant, its MAC verified, is good at `now`, standing of its parties aside. */
export const isAccessLive = (
  state: GrantState,
  presented: { readonly sequence: number; readonly expiresAt: number; readonly now: number },
): state is Extract<GrantState, { status: 'active' }> =>
  state.status === 'active' &&
  presented.sequence >= Math.max(1, state.accessNotBefore) &&
  presented.sequence <= state.current.sequence &&
  presented.now < presented.expiresAt * 1000 &&
  !state.revokedAccess.some((revoked) => revoked.sequence === presented.sequence);
