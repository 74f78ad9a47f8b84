import type { DomainEvent } from '@grantlog/eventsourcing';
import type { NameId } from '../ids.ts';

/** Kinds of second factor; an account holds at most one of each. */
export type MfaFactor = 'totp' | 'passkey';

/** `integration` accounts stand for a program: they take HTTP Basic and never sign in with a browser. */
export type AccountKind = 'person' | 'integration';

type Nothing = Record<string, never>;

/**
 * Facts of an account. Email and display name exist only in the sealed `personal` part of `account.registered`, and
 * what a context is called only in that of `account.contexts_set`. A `reason` is a fixed phrase and names no person.
 */
export type AccountEvent =
  | DomainEvent<
      'account.registered',
      {
        /** The claim on the email, so that erasure can release it. A keyed hash: a pseudonym, not the email. */
        readonly emailName: NameId;
        /** Absent in events of earlier versions: a person. */
        readonly kind?: AccountKind;
        /** Whether the account's own mailbox answered before it was made. Absent in events of earlier versions: no. */
        readonly emailVerified?: boolean;
      }
    >
  | DomainEvent<'account.password_set', { readonly credentialId: string }>
  | DomainEvent<'account.roles_assigned', { readonly roles: readonly string[] }>
  | DomainEvent<'account.mfa_enrolled', { readonly factor: MfaFactor; readonly credentialId: string }>
  | DomainEvent<'account.mfa_removed', { readonly factor: MfaFactor }>
  | DomainEvent<
      'account.recovery_codes_set',
      {
        /** The credential that holds the digests of all of them; every earlier set is void. */
        readonly credentialId: string;
        readonly count: number;
      }
    >
  | DomainEvent<'account.recovery_code_used', { readonly index: number }>
  /** An identity provider's assertion was taken for this account: from then on the person it names is this one. */
  | DomainEvent<
      'account.subject_linked',
      {
        readonly issuer: string;
        /** The claim on the person at their issuer, so that erasure can release it. A keyed hash: a pseudonym. */
        readonly subjectName: NameId;
      }
    >
  | DomainEvent<'account.contexts_set', { readonly contexts: readonly string[] }>
  | DomainEvent<'account.disabled', { readonly reason: string }>
  | DomainEvent<'account.enabled', Nothing>
  | DomainEvent<'account.grants_revoked', { readonly reason: string }>
  | DomainEvent<'account.erased', Nothing>;
