import type { Placed } from '@grantlog/eventsourcing';
import type { NameId } from '../ids.ts';
import { type SealedFact, sealedFact } from '../sealed-fact.ts';
import type { AccountEvent, AccountKind, MfaFactor } from './events.ts';

export type EnrolledFactor = { readonly factor: MfaFactor; readonly credentialId: string };

/** One-time codes for whoever lost the second factor. */
export type RecoveryCodes = {
  readonly credentialId: string;
  readonly count: number;
  /** Indices of those that were used. */
  readonly used: readonly number[];
};

/** Somebody of an identity provider whom an account stands for, by the name that it claims. */
type ExternalSubject = { readonly issuer: string; readonly subjectName: NameId };

/** An account that exists and is not erased. */
export type AccountRecord = {
  readonly firstPosition: number;
  /** Position of the latest `account.grants_revoked`; 0 when there was none. */
  readonly revokedBefore: number;
  /** Position of the latest password: sign-ins that began below it are over, grants are not. 0 when there is no password. */
  readonly signInsBefore: number;
  /**
   * Position since which a second factor is asked for: sign-ins without one that began below it are over, also when it is
   * switched off again. A move to another app leaves it as it is. 0 when there never was one.
   */
  readonly secondFactorSince: number;
  readonly emailName: NameId;
  readonly kind: AccountKind;
  readonly emailVerified: boolean;
  /** Email and display name, sealed. */
  readonly personal: SealedFact | null;
  /** Credential id of the password's hash. */
  readonly passwordCredential: string | null;
  readonly roles: readonly string[];
  readonly factors: readonly EnrolledFactor[];
  /** Null until a first set was made, and again without a second factor. */
  readonly recoveryCodes: RecoveryCodes | null;
  /** Whom of identity providers this account stands for: of each provider one person at most. */
  readonly externalSubjects: readonly ExternalSubject[];
  /** Ids of what a grant of this account may be pinned to, and their names, sealed. */
  readonly contexts: { readonly ids: readonly string[]; readonly personal: SealedFact | null };
};

export type AccountState =
  | { readonly status: 'none' }
  | ({ readonly status: 'active' } & AccountRecord)
  | ({ readonly status: 'disabled'; readonly reason: string } & AccountRecord)
  | { readonly status: 'erased'; readonly firstPosition: number; readonly revokedBefore: number };

export const noAccount: AccountState = { status: 'none' };

const registered = (event: Placed<Extract<AccountEvent, { type: 'account.registered' }>>): AccountState => ({
  status: 'active',
  firstPosition: event.position,
  revokedBefore: 0,
  signInsBefore: 0,
  secondFactorSince: 0,
  emailName: event.data.emailName,
  kind: event.data.kind ?? 'person',
  emailVerified: event.data.emailVerified ?? false,
  personal: sealedFact(event),
  passwordCredential: null,
  roles: [],
  factors: [],
  recoveryCodes: null,
  externalSubjects: [],
  contexts: { ids: [], personal: null },
});

export const evolveAccount = (state: AccountState, event: Placed<AccountEvent>): AccountState => {
  if (state.status === 'none') return event.type === 'account.registered' ? registered(event) : state;
  if (state.status === 'erased') return state;
  switch (event.type) {
    case 'account.registered':
      return state;
    case 'account.password_set':
      return { ...state, passwordCredential: event.data.credentialId, signInsBefore: event.position };
    case 'account.roles_assigned':
      return { ...state, roles: event.data.roles };
    case 'account.mfa_enrolled': {
      const { factor, credentialId } = event.data;
      const factors = [...state.factors.filter((held) => held.factor !== factor), { factor, credentialId }];
      return { ...state, factors, secondFactorSince: state.factors.length === 0 ? event.position : state.secondFactorSince };
    }
    case 'account.mfa_removed': {
      const { factor } = event.data;
      const factors = state.factors.filter((held) => held.factor !== factor);
      return { ...state, factors, recoveryCodes: factors.length === 0 ? null : state.recoveryCodes };
    }
    case 'account.recovery_codes_set': {
      const { credentialId, count } = event.data;
      return { ...state, recoveryCodes: { credentialId, count, used: [] } };
    }
    case 'account.recovery_code_used': {
      const { recoveryCodes: codes } = state;
      return codes === null ? state : { ...state, recoveryCodes: { ...codes, used: [...codes.used, event.data.index] } };
    }
    case 'account.subject_linked':
      return state.externalSubjects.some(({ subjectName }) => subjectName === event.data.subjectName)
        ? state
        : { ...state, externalSubjects: [...state.externalSubjects, event.data] };
    case 'account.contexts_set':
      return { ...state, contexts: { ids: event.data.contexts, personal: sealedFact(event) } };
    case 'account.disabled':
      return { ...state, status: 'disabled', reason: event.data.reason };
    case 'account.enabled': {
      if (state.status === 'active') return state;
      const { reason: _, ...account } = state;
      return { ...account, status: 'active' };
    }
    case 'account.grants_revoked':
      return { ...state, revokedBefore: event.position };
    case 'account.erased':
      return { status: 'erased', firstPosition: state.firstPosition, revokedBefore: state.revokedBefore };
  }
};
