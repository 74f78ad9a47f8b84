import type { DomainEvent, StreamId } from '@grantlog/eventsourcing';
import type { AccountId, ClientStreamId, EndpointId, Instant, SignInId } from '../ids.ts';

/** Which door the agent came through; the session is a device code of RFC 8628 by either. */
export type SessionVia = 'init_signup' | 'device_authorization';

/** What an agent asked for when it began. `client` is a stream that a load follows. */
export type SessionTerms = {
  readonly client: ClientStreamId;
  readonly clientId: string;
  readonly via: SessionVia;
  /** Every scope asked for, in the order that the grant will have them. */
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  /** S256 (RFC 7636); null when the agent gave none. */
  readonly codeChallenge: string | null;
  /** Until when it can be completed and redeemed; whole seconds since the epoch. */
  readonly expiresAt: number;
  /** Least seconds between two polls (RFC 8628 §3.2). */
  readonly intervalSeconds: number;
  /** The token key that the MACs of session and link tokens are made with. */
  readonly tokenKeyId: number;
  /** 32 random bytes, base64url: part of what those MACs cover. No secret by itself. */
  readonly tokenNonce: string;
};

/** `wrong_number`: the person chose another number than the agent shows. */
export type SessionDenial = 'by_account' | 'wrong_number';

export type SessionRevocation = 'by_account' | 'by_client' | 'by_operator';

type Nothing = Record<string, never>;

/** Facts of one agent's sign-up session. Personal data of the beginning (from where, by which program) is sealed. */
export type SessionEvent =
  | DomainEvent<'session.started', SessionTerms>
  | DomainEvent<'session.webhook_registered', { readonly endpoint: EndpointId }>
  | DomainEvent<'session.linked', { readonly account: AccountId; readonly signIn: SignInId }>
  | DomainEvent<'session.redeemed', Nothing>
  | DomainEvent<'session.denied', { readonly reason: SessionDenial; readonly account: AccountId | null }>
  | DomainEvent<'session.expired', { readonly at: Instant }>
  | DomainEvent<'session.revoked', { readonly reason: SessionRevocation; readonly by: StreamId | null }>;
