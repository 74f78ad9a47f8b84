import type { OnProblem } from '../problem.ts';
import { requireWhole } from '../receiving/require-whole.ts';
import type { SeenWebhooks } from '../receiving/seen.ts';
import { requireIssuer } from '../secure-url.ts';

export type SecurityEventReceiverOptions = {
  /** The platform, exactly as it names itself in its metadata: events are verified by its key set. */
  readonly issuer: string;
  /** The `aud` of the stream, as its configuration answers it. */
  readonly audience: string;
  /**
   * The `authorization_header` of the stream's delivery, whole; while one is being changed, both. Without one, `Authorization` is
   * not looked at.
   */
  readonly authorization?: string | readonly string[];
  /** Bytes of a token; default 65,536. */
  readonly maxBodyBytes?: number;
  /**
   * Which events were handled; default: the memory of this process, which holds the last 100,000. Where several processes receive,
   * name a place that they share, or each of them handles the same event. That of webhooks may be the same place.
   */
  readonly seen?: SeenWebhooks;
  /** Seconds that handling one takes at most; only then may another attempt begin where nobody knows how it ended. Default 60. */
  readonly handlingSeconds?: number;
  /** Milliseconds for one request for keys, to its last byte; default 5,000. */
  readonly timeoutMs?: number;
  /** Replaces the global fetch, for a proxy or a certificate of one's own. */
  readonly fetch?: typeof globalThis.fetch;
  /** Hears of what an operator has to fix, each kind at most once a minute; default a process warning. */
  readonly onProblem?: OnProblem;
  /** Milliseconds since the epoch; default the system's clock. */
  readonly now?: () => number;
};

export type ReceiverSettings = {
  readonly issuer: string;
  readonly audience: string;
  /** Those that are taken; none where the header is not looked at. */
  readonly authorizations: readonly string[];
  readonly maxBodyBytes: number;
  readonly handlingSeconds: number;
  readonly timeoutMs: number;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
};

/** @throws TypeError that names the option and what to write instead; never a secret. */
export const readReceiverOptions = (options: SecurityEventReceiverOptions): ReceiverSettings => {
  const { issuer, audience, authorization = [], maxBodyBytes = 65_536, handlingSeconds = 60, timeoutMs = 5_000 } = options;
  requireIssuer(issuer);
  if (audience === '') throw new TypeError('audience must be the aud of the stream, as its configuration answers it');
  requireWhole({ maxBodyBytes, handlingSeconds, timeoutMs });
  const authorizations = [authorization].flat();
  if (!authorizations.every((each) => /^[\x21-\x7e]+( +[\x21-\x7e]+)*$/.test(each))) {
    throw new TypeError('authorization must be the authorization_header of the stream: visible characters of ASCII');
  }
  return {
    issuer,
    audience,
    authorizations,
    maxBodyBytes,
    handlingSeconds,
    timeoutMs,
    fetch: options.fetch ?? globalThis.fetch,
    now: options.now ?? Date.now,
  };
};
