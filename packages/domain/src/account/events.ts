import type { DomainEvent } from '@grantlog/eventsourcing';
import type { NameId } from '../ids.ts';

/** Kinds of second factor; an account holds at most one of each. */
export type MfaFactor = 'totp' | 'passkey';

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
      }
    >
  | DomainEvent<'account.password_set', { readonly credentialId: string }>
  | DomainEvent<'account.roles_assigned', { readonly roles: readonly string[] }>
  | DomainEvent<'account.mfa_enrolled', { readonly factor: MfaFactor; readonly credentialId: string }>
  | DomainEvent<'account.mfa_removed', { readonly factor: MfaFactor }>
  | DomainEvent<'account.contexts_set', { readonly contexts: readonly string[] }>
  | DomainEvent<'account.disabled', { readonly reason: string }>
  | DomainEvent<'account.enabled', Nothing>
  | DomainEvent<'account.grants_revoked', { readonly reason: string }>
  | DomainEvent<'account.erased', Nothing>;
