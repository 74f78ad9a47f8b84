import type { DomainEvent } from '@grantlog/eventsourcing';
import type { AccountId, ClientId } from '../ids.ts';
import type { PlatformGrantType, SigningAlgorithm } from '../platform/document.ts';

export type ClientKind = 'confidential' | 'public';

/** How a client came to be. */
export type ClientOrigin = 'preset' | 'portal' | 'dynamic' | 'metadata_document';

export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post' | 'none';

/** What may be changed about a client after its registration. */
export type ClientSettings = {
  readonly name: string;
  readonly redirectUris: readonly string[];
  readonly grantTypes: readonly PlatformGrantType[];
  /** Scopes it may ask for; null for all of the platform's. */
  readonly scopes: readonly string[] | null;
  readonly authMethods: readonly ClientAuthMethod[];
  /** Its own algorithm for ID tokens; null for the platform's. */
  readonly idTokenAlg: SigningAlgorithm | null;
  /** Resources that it serves: it may introspect tokens for them (RFC 7662 §2.1). Empty for a client that only asks. */
  readonly serves: readonly string[];
  /** What a client of the system platform may do by itself; empty elsewhere. */
  readonly roles: readonly string[];
};

export type ClientRegistration = ClientSettings & {
  readonly clientId: ClientId;
  readonly kind: ClientKind;
  readonly how: ClientOrigin;
  /** The developer's account that registered it; null for one of an operator. Absent in events of earlier versions: null. */
  readonly owner?: AccountId | null;
  /** Credential id of its first secret; null for a public client. */
  readonly secretCredential: string | null;
  readonly approval: 'pending' | 'approved';
  /** 32 random bytes, base64url, that its registration access token is made with (RFC 7592); null when it has none. No secret. */
  readonly tokenNonce: string | null;
};

/** What its own developer may change; what it serves and which roles it has is an operator's to say. */
export type DeveloperSettings = Pick<ClientSettings, 'name' | 'redirectUris' | 'grantTypes' | 'scopes' | 'authMethods'>;

type Nothing = Record<string, never>;

/** Facts of a client. A `reason` is a fixed phrase and names no person. */
export type ClientEvent =
  | DomainEvent<'client.registered', ClientRegistration>
  | DomainEvent<'client.updated', Partial<ClientSettings>>
  /** Approves the client or, where it was approved before, the change that is proposed. */
  | DomainEvent<'client.approved', Nothing>
  | DomainEvent<'client.rejected', { readonly reason: string }>
  /** The developer changed what was refused: an operator looks at it again. */
  | DomainEvent<'client.resubmitted', Nothing>
  /** What its developer wants changed, complete: it takes the place of every earlier proposal. */
  | DomainEvent<'client.change_proposed', { readonly changes: Partial<DeveloperSettings> }>
  | DomainEvent<'client.change_withdrawn', Nothing>
  | DomainEvent<'client.change_rejected', { readonly reason: string }>
  | DomainEvent<
      'client.secret_rotated',
      {
        readonly credentialId: string;
        /** Whole seconds since the epoch; now or earlier ends the previous secret at once. */
        readonly previousValidUntil: number;
      }
    >
  | DomainEvent<'client.disabled', { readonly reason: string }>
  | DomainEvent<'client.enabled', Nothing>
  | DomainEvent<'client.grants_revoked', { readonly reason: string }>
  | DomainEvent<'client.deleted', Nothing>;
