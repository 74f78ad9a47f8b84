/** Response headers in order. A list, because `WWW-Authenticate` repeats: append each, never set one over the other. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Somebody may do what the request asks for. Send `headers` with whatever the resource answers. */
export type Allowed = {
  readonly kind: 'allowed';
  /** Who acts: the account's id, or the client's where a client acts for itself. A pseudonym, the same in every request. */
  readonly subject: string;
  /** What the token grants, including what its scopes imply. Empty under Basic, where roles alone decide. */
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly headers: HeaderList;
} & (
  | {
      /** `DPoP`: whoever sent the request has also shown the key that the token is bound to. */
      readonly scheme: 'Bearer' | 'DPoP';
      readonly clientId: string | null;
      /** Unix seconds. What outlives it, such as a stream, has to be checked again then. */
      readonly expiresAt: number;
      /** The object of the account that the grant is for, such as a folder; null where none is chosen. */
      readonly context: string | null;
      /** Every object that the account has to choose from, and what its owner calls it. */
      readonly contexts: readonly { readonly id: string; readonly name: string }[];
    }
  | { readonly scheme: 'Basic'; readonly clientId: null; readonly accountKind: 'person' | 'integration' }
);

/** What a refusal says to whoever reads the body: fixed text, no secret, nothing the request contained. */
export type RefusalBody = {
  readonly error: string;
  readonly error_description: string;
  /** A page that says what to do instead. */
  readonly documentation?: string;
};

export type RefusalStatus = 400 | 401 | 403 | 429 | 503;

/** Nobody may, or nobody can tell: answer with exactly this status, these headers and, in any media type, this body. */
export type Refused = {
  readonly kind: 'refused';
  readonly status: RefusalStatus;
  readonly headers: HeaderList;
  readonly body: RefusalBody;
};

export type GuardOutcome = Allowed | Refused;
