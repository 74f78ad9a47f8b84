import type { DomainEvent } from '@grantlog/eventsourcing';
import type { AccountId, ClientStreamId, GrantId, NameId, SessionId } from '../ids.ts';

/** `v1` is HMAC-SHA256, `v1a` is Ed25519 (Standard Webhooks). */
export type WebhookSignature = 'v1' | 'v1a';

/**
 * `gone`: the receiver answered 410. `receiver`: it asked for it by `webhook-delivery: disable`. `failing`: nothing but
 * failures for five days. `unverified`: nobody answered at its URL when it was to be proved.
 */
export type EndpointDisabledReason = 'operator' | 'gone' | 'receiver' | 'failing' | 'unverified';

/**
 * Who registered it, and manages it besides operators: the client whose events it hears, by itself, or the one grant that it
 * hears, by a token of the person who granted it.
 */
export type EndpointRegistrar = 'operator' | 'client' | 'grant';

/**
 * What makes an endpoint a stream of security events (OpenID Shared Signals Framework 1.0): what it is sent are SETs, of events
 * that it names by URI.
 */
export type SignalTerms = {
  /** `push` (RFC 8935) to its URL; `poll` (RFC 8936), and its URL is the name of that method. */
  readonly method: 'push' | 'poll';
  /** The client that receives them and manages the stream, and its `client_id`: the `aud` of its SETs. */
  readonly receiver: ClientStreamId;
  readonly audience: string;
  /** URIs as the receiver asked for them, those included that are never sent; null for all that there are. */
  readonly requested: readonly string[] | null;
};

/** Headers that its deliveries carry besides ours: their names, and the credential that their values are sealed in. */
export type EndpointHeaders = { readonly credentialId: string; readonly names: readonly string[] };

/** What may be changed about an endpoint after its registration. */
export type EndpointSettings = {
  /** Absolute, without userinfo or fragment. Its query may be a secret of the receiver: show it shortened. */
  readonly url: string;
  /** Event types to send; null for all. */
  readonly types: readonly string[] | null;
  /** Deliver the events of each grant one after another, in their order. */
  readonly ordered: boolean;
  /** Deliveries at once; 1 to 100. */
  readonly concurrency: number;
  /** Deliveries a second, on average over a second; 1 to 1,000. Absent in events of earlier versions, and null: no limit. */
  readonly ratePerSecond?: number | null;
  /** Leave out what a later event of the same grant has made stale. Absent in events of earlier versions: no. */
  readonly skipSuperseded?: boolean;
  /** Absent and null: webhooks. An endpoint of one kind never becomes one of the other. */
  readonly signals?: SignalTerms | null;
  readonly description: string;
};

/**
 * A registration's personal data is sealed under the endpoint's own key: what an agent wants echoed (`deliveryContext`)
 * and the keys it names its webhook by.
 */
export type EndpointRegistration = EndpointSettings & {
  /** The client whose events it hears; null for all of the platform's. */
  readonly client: ClientStreamId | null;
  /** The agent's sign-up session whose events alone it hears. Absent in events of earlier versions, and null: no session's. */
  readonly session?: SessionId | null;
  /** The grants of its client whose events alone it hears; 1 to 100. Absent in events of earlier versions, and null: not narrowed. */
  readonly grants?: readonly GrantId[] | null;
  /** Absent in events of earlier versions: an operator, or the agent of its session. */
  readonly registeredBy?: EndpointRegistrar;
  /** The place that it takes among those that its registrar may have; absent or null where they are not counted. */
  readonly slot?: NameId | null;
  /** Credential id of the bearer token that deliveries carry besides their signature; absent or null for none. */
  readonly bearerCredential?: string | null;
  /** Absent or null for none. */
  readonly headers?: EndpointHeaders | null;
  /** Whether the sealed data has a `deliveryContext`. */
  readonly hasDeliveryContext?: boolean;
  /** Credential ids of its signing secrets, newest first; one or two, and none of a stream of security events. */
  readonly secretCredentials: readonly string[];
  readonly signature: WebhookSignature;
  /** Whether its URL has to be proved before it hears anything. Absent in events of earlier versions, which asked the endpoints of sessions alone. */
  readonly asksForProof?: boolean;
};

/** What an endpoint is to be sent once more, or for the first time: what it hears, from one position of the log to another. */
export type EndpointRecovery = {
  readonly recoveryId: string;
  /** Both inclusive; null: up to the recovery itself, beyond which it never goes. */
  readonly from: number;
  readonly through: number | null;
  /** Deliveries that it makes due a second. */
  readonly ratePerSecond: number;
  /** Whether what was delivered is sent again, too. */
  readonly includeDelivered: boolean;
};

type Nothing = Record<string, never>;

export type WebhookEndpointEvent =
  | DomainEvent<'webhook_endpoint.registered', EndpointRegistration>
  | DomainEvent<'webhook_endpoint.verified', Nothing>
  /** Somebody asked that a test message be sent. */
  | DomainEvent<
      'webhook_endpoint.tested',
      {
        /** What the receiver of security events gave to be repeated, at most 256 characters. */
        readonly state?: string;
      }
    >
  /** It is about to be disabled: only failures since `failingSince`, milliseconds since the epoch. */
  | DomainEvent<'webhook_endpoint.failing', { readonly failingSince: number }>
  | DomainEvent<'webhook_endpoint.updated', Partial<EndpointSettings>>
  | DomainEvent<
      'webhook_endpoint.secret_rotated',
      {
        readonly credentialId: string;
        /** Whole seconds since the epoch until which deliveries are signed with the previous secret too. */
        readonly previousValidUntil: number;
      }
    >
  | DomainEvent<
      'webhook_endpoint.bearer_rotated',
      {
        readonly credentialId: string;
        /** Whole seconds since the epoch until which a receiver that refuses the new token is offered the previous one. */
        readonly previousValidUntil: number;
      }
    >
  /** All of them, instead of those before; without a credential none. */
  | DomainEvent<'webhook_endpoint.headers_set', { readonly credentialId: string | null; readonly names: readonly string[] }>
  /** Its personal data takes the place of what was sealed before. */
  | DomainEvent<'webhook_endpoint.context_set', { readonly hasDeliveryContext: boolean }>
  | DomainEvent<'webhook_endpoint.disabled', { readonly reason: EndpointDisabledReason }>
  | DomainEvent<'webhook_endpoint.enabled', Nothing>
  /** What it hears is held until it is resumed. */
  | DomainEvent<'webhook_endpoint.paused', { readonly reason: string | null }>
  | DomainEvent<'webhook_endpoint.resumed', Nothing>
  /** It hears nothing more of this account, nor of its grants. */
  | DomainEvent<'webhook_endpoint.subject_removed', { readonly account: AccountId }>
  | DomainEvent<'webhook_endpoint.subject_added', { readonly account: AccountId }>
  | DomainEvent<'webhook_endpoint.recovery_requested', EndpointRecovery>
  | DomainEvent<'webhook_endpoint.recovery_cancelled', { readonly recoveryId: string }>
  | DomainEvent<'webhook_endpoint.deleted', Nothing>;
