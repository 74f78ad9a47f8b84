import type { DomainEvent } from '@grantlog/eventsourcing';
import type { ClientStreamId } from '../ids.ts';

/** `v1` is HMAC-SHA256, `v1a` is Ed25519 (Standard Webhooks). */
export type WebhookSignature = 'v1' | 'v1a';

/** `gone`: the receiver answered 410. `failing`: nothing but failures for five days. */
export type EndpointDisabledReason = 'operator' | 'gone' | 'failing';

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
  readonly description: string;
};

export type EndpointRegistration = EndpointSettings & {
  /** The client whose events it hears; null for all of the platform's. */
  readonly client: ClientStreamId | null;
  /** Credential ids of its signing secrets, newest first; one or two. */
  readonly secretCredentials: readonly string[];
  readonly signature: WebhookSignature;
};

type Nothing = Record<string, never>;

export type WebhookEndpointEvent =
  | DomainEvent<'webhook_endpoint.registered', EndpointRegistration>
  | DomainEvent<'webhook_endpoint.verified', Nothing>
  | DomainEvent<'webhook_endpoint.updated', Partial<EndpointSettings>>
  | DomainEvent<
      'webhook_endpoint.secret_rotated',
      {
        readonly credentialId: string;
        /** Whole seconds since the epoch until which deliveries are signed with the previous secret too. */
        readonly previousValidUntil: number;
      }
    >
  | DomainEvent<'webhook_endpoint.disabled', { readonly reason: EndpointDisabledReason }>
  | DomainEvent<'webhook_endpoint.enabled', Nothing>
  | DomainEvent<'webhook_endpoint.deleted', Nothing>;
