import type { DomainEvent, JsonObject } from '@grantlog/eventsourcing';
import type { AccountId, ClientId } from '../ids.ts';
import type { AssertionAlgorithm, PlatformGrantType, SigningAlgorithm } from '../platform/document.ts';

export type ClientKind = 'confidential' | 'public';

/** How a client came to be. */
export type ClientOrigin = 'preset' | 'portal' | 'dynamic' | 'metadata_document';

export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';

/** Whether a client is a site or an app on somebody's device, which decides where its answers may go (OIDC DCR §2). */
export type ApplicationType = 'web' | 'native';

/** Where a relying party hears that a sign-in has ended (OIDC Back-Channel Logout §2.2). */
export type BackchannelLogout = { readonly uri: string; readonly sessionRequired: boolean };

/** What a client says of itself to people and operators; asserted, never verified. Each a URL, or a short text; null where it says nothing. */
export type ClientSelfDescription = {
  readonly clientUri: string | null;
  readonly logoUri: string | null;
  readonly tosUri: string | null;
  readonly policyUri: string | null;
  readonly softwareId: string | null;
  readonly softwareVersion: string | null;
};

/** Settings that came after the first clients: events of earlier versions lack them, and {@link extraDefaults} holds. */
export type ClientExtras = {
  readonly applicationType: ApplicationType;
  /** Its public keys by value (RFC 7591 §2 `jwks`), or null. Never beside `jwksUri`. */
  readonly jwks: JsonObject | null;
  /** Where its public keys are, or null. */
  readonly jwksUri: string | null;
  /** The one algorithm of its assertions; null for any that this server takes. */
  readonly assertionAlg: AssertionAlgorithm | null;
  /** Where people may be sent once they have signed out, compared byte for byte. */
  readonly postLogoutRedirectUris: readonly string[];
  readonly backchannelLogout: BackchannelLogout | null;
  /** Whether its token requests have to prove possession of a key (RFC 9449 §5.2). */
  readonly dpopRequired: boolean;
  /** Whether its authorization requests have to be pushed (RFC 9126 §6). */
  readonly parRequired: boolean;
  readonly about: ClientSelfDescription;
};

/** What may be changed about a client after its registration. */
export type ClientSettings = ClientExtras & {
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

export type ClientRegistration = Omit<ClientSettings, keyof ClientExtras> &
  Partial<ClientExtras> & {
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

/** What holds for a client whose registration says nothing of it. */
export const extraDefaults: ClientExtras = {
  applicationType: 'web',
  jwks: null,
  jwksUri: null,
  assertionAlg: null,
  postLogoutRedirectUris: [],
  backchannelLogout: null,
  dpopRequired: false,
  parRequired: false,
  about: { clientUri: null, logoUri: null, tosUri: null, policyUri: null, softwareId: null, softwareVersion: null },
};

/** What its own developer may change; what it serves and which roles it has is an operator's to say. */
export type DeveloperSettings = Pick<
  ClientSettings,
  'name' | 'redirectUris' | 'grantTypes' | 'scopes' | 'authMethods' | keyof ClientExtras
>;

type Nothing = Record<string, never>;

/** Why a client was deleted; absent where nobody said. `unused`: nobody granted it anything for as long as the platform waits. */
export type ClientDeletion = 'unused' | 'by_itself';

/** Facts of a client. A `reason` is a fixed phrase and names no person. */
export type ClientEvent =
  | DomainEvent<'client.registered', ClientRegistration>
  /** `kind` changes for a client alone that a document describes, with the document. */
  | DomainEvent<'client.updated', Partial<ClientSettings> & { readonly kind?: ClientKind }>
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
  /** A person has granted it something for the first time: whoever installed it holds on to it. Only of clients that registered themselves. */
  | DomainEvent<'client.used', Nothing>
  | DomainEvent<'client.deleted', { readonly reason?: ClientDeletion }>;
