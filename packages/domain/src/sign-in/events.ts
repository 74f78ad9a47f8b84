import type { DomainEvent } from '@grantlog/eventsourcing';
import type { AccountId } from '../ids.ts';

export type SignInMethod = 'password';

/** Why nobody was signed in. The page says the same for all of them; the log says which. */
export type SignInFailure =
  | 'unknown_account'
  | 'wrong_password'
  | 'wrong_code'
  | 'account_disabled'
  | 'platform_suspended'
  /** An integration account at the form, which is for people. */
  | 'integration_account'
  /** HTTP Basic cannot ask for the second factor. */
  | 'second_factor_needed';

/** Where somebody tried: the form of a browser, or HTTP Basic. */
export type SignInVia = 'form' | 'basic';

export type SignInEnd = 'signed_out' | 'expired' | 'replaced' | 'by_operator';

/** Facts of one attempt of one browser to sign in: a stream each, so that no crowd of attempts slows an account down. */
export type SignInEvent =
  | DomainEvent<
      'sign_in.succeeded',
      {
        readonly account: AccountId;
        readonly method: SignInMethod;
        /** Authentication method references, as the ID token states them (RFC 8176). */
        readonly amr: readonly string[];
      }
    >
  | DomainEvent<
      'sign_in.failed',
      {
        readonly account: AccountId | null;
        readonly reason: SignInFailure;
        /** Absent in events of earlier versions: the form. */
        readonly via?: SignInVia;
      }
    >
  | DomainEvent<'sign_in.ended', { readonly reason: SignInEnd }>;
