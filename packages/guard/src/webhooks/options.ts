import { parseWebhookSecret, type WebhookSecret } from '@grantlog/crypto';
import type { OnProblem } from '../problem.ts';
import { requireWhole } from '../receiving/require-whole.ts';
import type { SeenWebhooks } from '../receiving/seen.ts';
import { isSecureUrl, requireIssuer } from '../secure-url.ts';

/** What a receiver knows a genuine webhook by: a secret of its own, the key set of its endpoint, or who its issuer is. */
type Proof =
  | {
      /** `whsec_` or `whpk_`, as the registration answered it; while one is being rotated, both. */
      readonly secrets: string | readonly string[];
      readonly jwksUri?: never;
      readonly issuer?: never;
      readonly url?: never;
    }
  | {
      /**
       * The key set of an endpoint of signature `v1a`: `{issuer}/webhooks/endpoints/{id}/jwks.json`. A rotation of the endpoint's
       * secret changes what it holds, and nothing here.
       */
      readonly jwksUri: string;
      readonly secrets?: never;
      readonly issuer?: never;
      readonly url?: never;
    }
  | {
      /**
       * The platform, exactly as it names itself in its metadata: its key set has the Ed25519 key that signs for everybody
       * who keeps no key.
       */
      readonly issuer: string;
      /** This receiver, exactly as `webhookUrl` was registered: the platform's key signs for others as well. */
      readonly url: string;
      readonly secrets?: never;
      readonly jwksUri?: never;
    };

export type WebhookReceiverOptions = Proof & {
  /** The `webhookToken` that was registered; without one, `Authorization` is not looked at. */
  readonly webhookToken?: string;
  /** Seconds that an attempt's time may be off either way; default 300. */
  readonly toleranceSeconds?: number;
  /** Bytes of a body; default 262,144. */
  readonly maxBodyBytes?: number;
  /**
   * Which webhooks were handled; default: the memory of this process, which holds the last 100,000. Where several processes
   * receive, name a place that they share, or each of them handles the same webhook.
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
  readonly proof:
    | { readonly kind: 'secrets'; readonly secrets: readonly WebhookSecret[] }
    | { readonly kind: 'key_set'; readonly jwksUri: string }
    | { readonly kind: 'issuer'; readonly issuer: string; readonly audience: string };
  readonly webhookToken: string | null;
  readonly toleranceSeconds: number;
  readonly maxBodyBytes: number;
  readonly handlingSeconds: number;
  readonly timeoutMs: number;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
};

const requireSecret = (text: string): WebhookSecret => {
  // The text may be a secret: the message must not hold it.
  if (text.startsWith('whsk_')) throw new TypeError('secrets must hold whpk_ where the sender holds whsk_: who has whsk_ can sign');
  const secret = parseWebhookSecret(text);
  if (secret === null) throw new TypeError('secrets must be whsec_ or whpk_ and base64, exactly as the registration answered them');
  return secret;
};

const readSecrets = (secrets: string | readonly string[]): readonly WebhookSecret[] => {
  const texts = [secrets].flat();
  if (texts.length === 0) throw new TypeError('secrets must hold one at least');
  return texts.map(requireSecret);
};

const readProof = (proof: Proof): ReceiverSettings['proof'] => {
  const { secrets, jwksUri, issuer, url } = proof;
  const given = [secrets, jwksUri, issuer].filter((each) => each !== undefined);
  if (given.length !== 1) throw new TypeError('give either secrets, or jwksUri, or issuer and url');
  if (secrets !== undefined) return { kind: 'secrets', secrets: readSecrets(secrets) };
  if (jwksUri !== undefined) {
    if (!isSecureUrl(jwksUri)) throw new TypeError("jwksUri must be the address of the endpoint's key set: https, or http on loopback");
    return { kind: 'key_set', jwksUri };
  }
  requireIssuer(issuer);
  if (!isSecureUrl(url)) throw new TypeError('url must be the webhookUrl that was registered: https, or http on loopback');
  // Bodies name the receiver without its query, which is where people keep secrets.
  return { kind: 'issuer', issuer, audience: url.replace(/\?.*$/s, '') };
};

/** @throws TypeError that names the option and what to write instead; never a secret. */
export const readReceiverOptions = (options: WebhookReceiverOptions): ReceiverSettings => {
  const { webhookToken = null, toleranceSeconds = 300, maxBodyBytes = 262_144, handlingSeconds = 60, timeoutMs = 5_000 } = options;
  requireWhole({ toleranceSeconds, maxBodyBytes, handlingSeconds, timeoutMs });
  if (webhookToken !== null && !/^[\x21-\x7e]+$/.test(webhookToken)) {
    throw new TypeError('webhookToken must be the one that was registered: visible characters of ASCII');
  }
  return {
    proof: readProof(options),
    webhookToken,
    toleranceSeconds,
    maxBodyBytes,
    handlingSeconds,
    timeoutMs,
    fetch: options.fetch ?? globalThis.fetch,
    now: options.now ?? Date.now,
  };
};
