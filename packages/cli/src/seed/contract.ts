/** `.grantlog/demo.json`: whatever a client needs to be pointed at a running instance. */
export type Demo = {
  readonly url: string;
  readonly operator: {
    readonly email: string;
    readonly password: string;
    /** For machines, by client credentials. */
    readonly client: { readonly client_id: string; readonly client_secret: string };
  };
  readonly platforms: Readonly<Record<string, DemoPlatform>>;
};

export type DemoPlatform = {
  readonly issuer: string;
  readonly account: { readonly email: string; readonly password: string };
  readonly client: { readonly client_id: string; readonly client_secret: string; readonly redirect_uri: string };
  readonly publicClient: { readonly client_id: string; readonly redirect_uri: string };
  /** Where the platform has example resources: who sees only what is theirs. `sub` is the account as tokens name it. */
  readonly presenter?: { readonly email: string; readonly password: string; readonly sub: string };
  /** The client as which the example resources ask about tokens. */
  readonly resourceServer?: { readonly client_id: string; readonly client_secret: string };
  /** The URI of the example resources. */
  readonly resource?: string;
};

/**
 * Makes the demonstration's platforms, accounts and clients where they are missing, and answers with their credentials.
 *
 * Idempotent: what `dataDir` and the log already hold is kept, so the credentials of the first start stay good.
 */
export type Seed = (task: {
  readonly connectionString: string;
  readonly secret: string;
  readonly publicUrl: string;
  /** Where the example resources run, or would; without a trailing slash. */
  readonly examplesUrl: string;
  readonly dataDir: string;
}) => Promise<Demo>;
