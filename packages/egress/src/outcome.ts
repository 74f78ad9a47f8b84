/** Why a request was not sent at all. */
export type EgressRefusal =
  | 'malformed_url'
  | 'scheme_not_allowed'
  | 'credentials_in_url'
  | 'port_not_allowed'
  | 'address_not_allowed'
  | 'header_not_allowed';

/**
 * Where an attempt ended without a whole response. `oversized` is a receiver's: more headers, or more around a body, than
 * anybody needs. `crowded` was never sent: every socket that it might have had, of all or of those to its server, was in use
 * by other requests until its time was over, so it says nothing of the receiver. `other` includes a receiver that does not
 * speak HTTP, and our own abort.
 */
export type EgressFailure = 'timeout' | 'connect' | 'tls' | 'dns' | 'reset' | 'oversized' | 'crowded' | 'other';

export type EgressOutcome =
  | {
      readonly kind: 'response';
      readonly status: number;
      /** Names in lower case; repeated headers joined by a comma. */
      readonly headers: Readonly<Record<string, string>>;
      /** At most the configured number of bytes. */
      readonly body: Uint8Array;
      /** Whether the receiver would have sent more. */
      readonly truncated: boolean;
      readonly durationMs: number;
    }
  | { readonly kind: 'refused'; readonly why: EgressRefusal }
  | { readonly kind: 'failed'; readonly reason: EgressFailure; readonly durationMs: number };

/** The destination turned out, at look-up or at connection, to be an address that strangers may not reach through us. */
export class RefusedDestination extends Error {
  override readonly name = 'RefusedDestination';
  readonly code = 'REFUSED_DESTINATION';
}

const refusals = {
  malformed_url: 'The URL is not valid',
  scheme_not_allowed: 'The URL must use https',
  credentials_in_url: 'The URL must not contain a user name or password',
  port_not_allowed: 'The port must be 443 or 8443',
  // A name that resolves to something internal must read like a name that does not answer: else we map networks for strangers.
  address_not_allowed: 'The server could not be reached',
  header_not_allowed: 'A request header is not allowed',
} satisfies Record<EgressRefusal, string>;

const failures = {
  timeout: 'The server did not answer in time',
  connect: 'The server could not be reached',
  tls: 'The TLS connection could not be established',
  dns: 'The server could not be reached',
  reset: 'The server closed the connection before it answered',
  oversized: 'The server sent too many or too long headers',
  crowded: 'Too many other requests were under way, and this one was not sent',
  other: 'The server could not be reached, or its answer is not valid HTTP',
} satisfies Record<EgressFailure, string>;

/** Fixed text about an outcome that whoever configured the URL may read: no address, no resolver detail, no response text. */
export const tellTenant = (outcome: EgressOutcome): string => {
  switch (outcome.kind) {
    case 'response':
      return `The server answered with status ${outcome.status}`;
    case 'refused':
      return refusals[outcome.why];
    case 'failed':
      return failures[outcome.reason];
  }
};
