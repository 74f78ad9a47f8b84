import { type Decider, type Decision, record, refuse } from '@grantlog/eventsourcing';
import type { NameId } from '../ids.ts';
import { sameJson } from '../same-json.ts';
import type { AccountEvent, AccountKind, MfaFactor } from './events.ts';
import { type AccountRecord, type AccountState, evolveAccount, noAccount } from './state.ts';

/** Roles, contexts or external subjects of one account; all are part of its state. */
export const accountListLimit = 256;

export type AccountCommand =
  /** The caller seals email and display name into the event's `personal`. */
  | { readonly type: 'register'; readonly emailName: NameId; readonly kind: AccountKind; readonly emailVerified: boolean }
  | { readonly type: 'setPassword'; readonly credentialId: string }
  | { readonly type: 'assignRoles'; readonly roles: readonly string[] }
  | { readonly type: 'enrolMfa'; readonly factor: MfaFactor; readonly credentialId: string }
  | { readonly type: 'removeMfa'; readonly factor: MfaFactor }
  | { readonly type: 'setRecoveryCodes'; readonly credentialId: string; readonly count: number }
  | { readonly type: 'useRecoveryCode'; readonly index: number }
  /** Commit it together with the claim on `subjectName`. */
  | { readonly type: 'linkSubject'; readonly issuer: string; readonly subjectName: NameId }
  /** The caller seals what the contexts are called into the event's `personal`. */
  | { readonly type: 'setContexts'; readonly contexts: readonly string[] }
  | { readonly type: 'disable'; readonly reason: string }
  | { readonly type: 'enable' }
  | { readonly type: 'revokeGrants'; readonly reason: string }
  | { readonly type: 'erase' };

export type AccountRefusal =
  | 'account_exists'
  | 'unknown_account'
  | 'account_erased'
  | 'too_many_roles'
  | 'too_many_contexts'
  | 'too_many_subjects'
  /** It stands for somebody else of the same identity provider: an email may be given to another person, an account not. */
  | 'issuer_linked'
  | 'integration_account'
  | 'no_second_factor'
  | 'recovery_code_unknown';

type Outcome = Decision<AccountEvent, AccountRefusal>;
type Living = AccountRecord & { readonly status: 'active' | 'disabled' };

const change = (command: Exclude<AccountCommand, { type: 'register' }>, account: Living): Outcome => {
  switch (command.type) {
    case 'setPassword':
      return record({ type: 'account.password_set', data: { credentialId: command.credentialId } });
    case 'assignRoles': {
      const roles = [...new Set(command.roles)].sort();
      if (roles.length > accountListLimit) return refuse('too_many_roles');
      return sameJson(roles, account.roles) ? record() : record({ type: 'account.roles_assigned', data: { roles } });
    }
    case 'enrolMfa':
      // Nobody is there to be asked for it.
      if (account.kind === 'integration') return refuse('integration_account');
      return record({ type: 'account.mfa_enrolled', data: { factor: command.factor, credentialId: command.credentialId } });
    case 'removeMfa': {
      const { factor } = command;
      const enrolled = account.factors.some((held) => held.factor === factor);
      return enrolled ? record({ type: 'account.mfa_removed', data: { factor } }) : record();
    }
    case 'setRecoveryCodes':
      if (account.factors.length === 0) return refuse('no_second_factor');
      return record({ type: 'account.recovery_codes_set', data: { credentialId: command.credentialId, count: command.count } });
    case 'useRecoveryCode': {
      const { index } = command;
      const codes = account.recoveryCodes;
      // One that was used before is as unknown as one that never was.
      if (codes === null || index < 0 || index >= codes.count || codes.used.includes(index)) return refuse('recovery_code_unknown');
      return record({ type: 'account.recovery_code_used', data: { index } });
    }
    case 'linkSubject': {
      const { issuer, subjectName } = command;
      // Nobody is there who could be a person of theirs.
      if (account.kind === 'integration') return refuse('integration_account');
      const linked = account.externalSubjects.find((each) => each.issuer === issuer);
      if (linked !== undefined) return linked.subjectName === subjectName ? record() : refuse('issuer_linked');
      return account.externalSubjects.length >= accountListLimit
        ? refuse('too_many_subjects')
        : record({ type: 'account.subject_linked', data: { issuer, subjectName } });
    }
    case 'setContexts': {
      const contexts = [...new Set(command.contexts)];
      // Recorded even when the ids are the same: what they are called is sealed, and may have changed.
      return contexts.length > accountListLimit
        ? refuse('too_many_contexts')
        : record({ type: 'account.contexts_set', data: { contexts } });
    }
    case 'disable':
      return account.status === 'disabled' ? record() : record({ type: 'account.disabled', data: { reason: command.reason } });
    case 'enable':
      return account.status === 'active' ? record() : record({ type: 'account.enabled', data: {} });
    case 'revokeGrants':
      return record({ type: 'account.grants_revoked', data: { reason: command.reason } });
    case 'erase':
      return record({ type: 'account.erased', data: {} });
  }
};

/**
 * Asking again for what already is records nothing and is no refusal.
 * That the email is free, and free again after an erasure, is the name's own stream in the same commit.
 */
const decide = (command: AccountCommand, state: AccountState): Outcome => {
  if (command.type === 'register') {
    if (state.status !== 'none') return refuse(state.status === 'erased' ? 'account_erased' : 'account_exists');
    const { emailName, kind, emailVerified } = command;
    return record({ type: 'account.registered', data: { emailName, kind, emailVerified } });
  }
  switch (state.status) {
    case 'none':
      return refuse('unknown_account');
    case 'erased':
      return command.type === 'erase' ? record() : refuse('account_erased');
    case 'active':
    case 'disabled':
      return change(command, state);
  }
};

/** A user of a platform. Disabling suspends what the account granted, enabling restores it, revoking and erasing are for good. */
export const accountDecider: Decider<AccountState, AccountCommand, AccountEvent, AccountRefusal> = {
  initial: noAccount,
  decide,
  evolve: evolveAccount,
};
