/** What a platform lets clients use at its token endpoint. */
export type PlatformGrantType =
  | 'authorization_code'
  | 'refresh_token'
  | 'client_credentials'
  | 'urn:ietf:params:oauth:grant-type:device_code'
  | 'urn:ietf:params:oauth:grant-type:token-exchange'
  | 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** RFC 8628 §3.4, and what an agent's sign-up session is redeemed by. */
export const deviceCodeGrant: Extract<PlatformGrantType, `urn:${string}`> = 'urn:ietf:params:oauth:grant-type:device_code';

/** RFC 8693: a token for another party, by one that holds or was shown a token of a person. */
export const tokenExchangeGrant: Extract<PlatformGrantType, `urn:${string}`> = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** RFC 7523 §2.1, for assertions of an identity provider that the platform trusts (ID-JAG). */
export const jwtBearerGrant: Extract<PlatformGrantType, `urn:${string}`> = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Algorithms for ID tokens and JWT access tokens. */
export type SigningAlgorithm = 'RS256' | 'ES256' | 'EdDSA';

/** Algorithms of what others sign for us: client assertions, DPoP proofs, identity assertions. Asymmetric ones alone. */
export type AssertionAlgorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

/** Ways in which a client may come to be; a platform allows a set of them. */
export type RegistrationPolicy = 'open' | 'approval' | 'metadata_document' | 'preset';

export type ScopeDefinition = {
  /** An RFC 6749 scope-token (NQCHAR). */
  readonly name: string;
  /** What a person reads on the consent page. */
  readonly description: string;
  /** Granted when a request names no scope. */
  readonly default: boolean;
  /** Every request for scopes has to name it, and a request for the defaults includes it. */
  readonly required: boolean;
  /** Scopes that this one satisfies as well, transitively. */
  readonly implies: readonly string[];
};

/** A protected resource (RFC 8707 `resource`, RFC 9728 metadata). */
export type ResourceDefinition = {
  readonly uri: string;
  readonly name: string;
  /** Names of the platform's scopes that mean something here. */
  readonly scopes: readonly string[];
  /** Where the API proxies to, or null for a resource reached without us. */
  readonly upstream: string | null;
  /** Whether `{uri}/{context}` is a resource too, for each context of an account: its tokens are pinned to that one. */
  readonly perContext: boolean;
} & ({ readonly accessTokenFormat: 'opaque' } | { readonly accessTokenFormat: 'jwt'; readonly accessTokenAlg: SigningAlgorithm });

/** All in whole seconds. */
export type Lifetimes = {
  readonly accessTokenSeconds: number;
  /** Counted from each issue. */
  readonly refreshTokenSeconds: number;
  readonly codeSeconds: number;
  readonly signUpLinkSeconds: number;
  /** Absolute cap on a grant, counted from its authorization; null for none. */
  readonly grantMaxSeconds: number | null;
  readonly signInSeconds: number;
};

export type PresetClient = {
  readonly clientId: string;
  readonly name: string;
  readonly redirectUris: readonly string[];
  readonly type: 'public' | 'confidential';
  readonly grantTypes: readonly PlatformGrantType[];
  /** Scopes it may ask for; null for all of the platform's. */
  readonly scopes: readonly string[] | null;
};

/** Named deviations from the defaults that a documented reference system needs; all off unless switched on. */
export type CompatibilitySwitches = {
  /** Registered redirect URIs may be plain http on loopback, with any port (RFC 8252 §7.3). */
  readonly httpLoopbackRedirects: boolean;
  /** Redirect URIs are https, and nothing else but what `httpLoopbackRedirects` allows: no scheme of an app's own. */
  readonly httpsRedirectsOnly: boolean;
  /** An authorization request without `scope` lacks a required parameter (`invalid_request`) and gets no defaults. */
  readonly scopeParameterRequired: boolean;
  /** Resources take HTTP Basic with an account's own password, for exploration. */
  readonly basicForExploration: boolean;
  /** `WWW-Authenticate` also carries `error_message`, `scopes` and the `expired_token` code. */
  readonly arloChallenges: boolean;
  /** The OAuth endpoints also answer under `/oauth/connect/`. */
  readonly connectPaths: boolean;
};

/** HTTP Basic is for looking around, not for running on. Both limits are an account's, counted by all nodes together. */
export type ExplorationLimits = {
  /** Days from the first use to the last. */
  readonly days: number;
  readonly requestsPerDay: number;
  /** The role whose holders may make integration accounts; null where operators alone may. */
  readonly administratorRole: string | null;
};

/** How an agent without a browser brings a person in (`init_signup`). */
export type AgentSignUp = {
  /** The preset client that an agent without a client id is; people read that nobody has verified it. */
  readonly unidentifiedClient: string;
  /** Least seconds between two polls. */
  readonly intervalSeconds: number;
  /** Whether an agent has to give a PKCE challenge. */
  readonly codeChallengeRequired: boolean;
};

/** What the cards of a platform's MCP server say of it; its tools and endpoints are the same for every platform. */
export type McpServerCard = {
  /** The resource that the server is, by its URI: the access tokens it takes. */
  readonly resource: string;
  /** Reverse-DNS name of SEP-2127, like `ai.arlohealth/arlo-health`. */
  readonly name: string;
  readonly version: string;
  /** At most 100 characters. */
  readonly description: string;
  readonly publisher: { readonly name: string; readonly url: string };
};

/** The objects of an account that a grant may be for: what the platform calls one, and whether a person has to choose. */
export type ContextChoice = {
  /** As people read it, in the singular, like "Safe". */
  readonly noun: string;
  readonly required: boolean;
};

/** Which sites may describe a client by a document (CIMD). A host stands for itself, `*.host` for what is below it. */
export type MetadataDocumentRules = {
  /** Empty for every site. */
  readonly allow: readonly string[];
  /** Wins over `allow`. */
  readonly deny: readonly string[];
  /** Sites whose clients the operator vouches for: consent to them may be remembered. */
  readonly trusted: readonly string[];
};

/** An identity provider whose assertions stand for its people here (ID-JAG). */
export type TrustedIssuer = {
  readonly issuer: string;
  readonly jwksUri: string;
  /** Mail domains for which it speaks: an account is found by email there alone. */
  readonly emailDomains: readonly string[];
  /** Whether people it names who have no account get one. */
  readonly createAccounts: boolean;
};

/** Data for our own pages: never HTML, never CSS. */
export type Branding = {
  readonly displayName: string;
  /** `#rrggbb`, lower case. */
  readonly accentColor: string;
  /** An absolute https URL, or null. */
  readonly logoUrl: string | null;
};

/**
 * Everything about a platform that an operator decides, complete: the parser has filled the defaults.
 *
 * @see parsePlatformDocument
 */
export type PlatformDocument = {
  readonly name: string;
  readonly displayName: string;
  /** An https (or loopback http) origin without a trailing slash for the host form; null for `PUBLIC_URL/{name}`. */
  readonly issuer: string | null;
  /** `host` or `host:port` values that select this platform. */
  readonly hosts: readonly string[];
  /** At most 64: a token carries them as a mask. */
  readonly scopes: readonly ScopeDefinition[];
  /** At most 255: a token carries the index of its resource in one byte. */
  readonly resources: readonly ResourceDefinition[];
  readonly lifetimes: Lifetimes;
  readonly registration: {
    readonly policy: readonly RegistrationPolicy[];
    /** Days after which a client that registered itself and was never granted anything is ended. */
    readonly unusedClientDays: number;
    readonly metadataDocuments: MetadataDocumentRules;
  };
  /** Whether a person who allowed a verified client exactly this before is asked again. */
  readonly consent: { readonly remember: boolean };
  /** Null where grants have no context. */
  readonly contexts: ContextChoice | null;
  readonly trustedIssuers: readonly TrustedIssuer[];
  readonly presetClients: readonly PresetClient[];
  readonly pkce: 'required' | 'public_clients';
  readonly grantTypes: readonly PlatformGrantType[];
  /** What every token of this platform starts with, before `_`, so that secret scanners know whose it is. */
  readonly tokens: { readonly prefix: string };
  readonly refresh: {
    /** How long a lost answer may be asked for again; 0 is strict rotation. */
    readonly retrySeconds: number;
    /** Retried sequences in a row before a retry counts as reuse. */
    readonly retryLimit: number;
    /** Whether a refresh token needs the `offline_access` scope. */
    readonly requiresOfflineAccess: boolean;
  };
  readonly idTokenAlg: SigningAlgorithm;
  /** Names that accounts and system clients may be assigned. */
  readonly roles: readonly string[];
  readonly signIn: {
    /** Whether people may make an account themselves. */
    readonly registration: 'open' | 'closed';
    /** Whether accounts may, or must, prove a second factor when they sign in. */
    readonly mfa: 'off' | 'optional' | 'required';
  };
  /** What HTTP Basic is limited to where `switches.basicForExploration` is on. */
  readonly exploration: ExplorationLimits;
  /** Null where agents cannot begin a sign-up. */
  readonly agentSignUp: AgentSignUp | null;
  /** Null where the platform has no MCP server of its own. */
  readonly mcpServer: McpServerCard | null;
  readonly branding: Branding;
  readonly webhooks: { readonly allowLoopback: boolean };
  readonly switches: CompatibilitySwitches;
  /** Absolute URL of what developers should read, or null. */
  readonly documentation: string | null;
};
