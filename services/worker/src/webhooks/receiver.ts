import type { SigningKey } from '@grantlog/crypto';
import {
  type EndpointId,
  type EndpointRecord,
  type PlatformState,
  platformDecider,
  platformStream,
  type SignalTerms,
  validSecrets,
  webhookEndpointDecider,
} from '@grantlog/domain';
import { fold, type JsonObject } from '@grantlog/eventsourcing';
import type { EndpointKey } from '@grantlog/postgres';
import { openCredential, openHeaders, readWebhookEcho, type SignalStream, type WebhookHeaders } from '@grantlog/provisioning';
import { type KeyReading, openSigningKey } from '../keys/signing-key.ts';

/** An endpoint as it is right now, with everything that a request to it needs. */
export type Receiver = {
  readonly url: string;
  readonly ordered: boolean;
  readonly concurrency: number;
  readonly ratePerSecond: number | null;
  /** Whether the URL is proved. */
  readonly verified: boolean;
  /** Whether it gets everything; what has yet to prove its URL or has paused gets nothing but verifications. */
  readonly hearsAll: boolean;
  /** Newest first; two while one is being rotated out. */
  readonly secrets: readonly string[];
  /** Tokens for `Authorization: Bearer`, newest first; two while one is being rotated out, none where its agent gave none. */
  readonly bearers: readonly string[];
  /** Its owner's own, none of them ours. */
  readonly headers: WebhookHeaders;
  /** What `webhook-key-id` says: which key of a JWK set verifies; null where none does. */
  readonly keyId: string | null;
  /** The platform's Ed25519 key, which signs for receivers that keep nothing; null where it does not. */
  readonly platformKey: SigningKey | null;
  /** What every payload repeats, opened with the endpoint and never stored; empty once its data key is gone. */
  readonly echo: JsonObject;
  readonly allowLoopback: boolean;
  /** What it is sent instead of webhooks, where it receives security events; null where it does not. */
  readonly signals: SignalStream | null;
};

/** What receivers are opened with. */
export type ReceiverReading = KeyReading & {
  /** Where platforms without a host of their own are found. */
  readonly publicUrl: string;
};

const decoder = new TextDecoder();

const echoOf = (
  { sealer }: KeyReading,
  of: EndpointKey & { readonly state: EndpointRecord; readonly wrappedKey: Uint8Array | null; readonly hasPlatformKey: boolean },
): JsonObject => {
  const { platform, endpoint, state, wrappedKey, hasPlatformKey } = of;
  // One key signs for every receiver of the platform, so the message has to say which one it is for.
  const audience: JsonObject = hasPlatformKey ? { audience: state.url.replace(/\?.*$/s, '') } : {};
  if (state.personal === null) return audience;
  // Only endpoints' streams hold endpoints.
  const echo = readWebhookEcho(sealer, { platform, endpoint: endpoint as EndpointId, wrappedKey, personal: state.personal });
  if (echo === null) return audience;
  const { sessionKey, deliveryContext, conversationSessionKey } = echo;
  return {
    ...audience,
    sessionKey,
    ...(deliveryContext === null ? {} : { deliveryContext }),
    ...(conversationSessionKey === null ? {} : { conversationSessionKey }),
  };
};

const openSignals = async (
  reading: ReceiverReading,
  of: EndpointKey & { readonly terms: SignalTerms; readonly owner: PlatformState },
): Promise<SignalStream> => {
  const { platform, endpoint: stream, terms, owner } = of;
  const { audience, requested } = terms;
  const key = await openSigningKey(reading, { platform, alg: 'RS256' });
  if (owner.status === 'none' || key === null) throw new Error(`platform ${platform} has no RS256 key to sign security events with`);
  return { stream, issuer: owner.document.issuer ?? `${reading.publicUrl}/${owner.document.name}`, audience, requested, key };
};

/**
 * Loads an endpoint from the log itself, so that a new URL, a rotated secret or a disabled endpoint counts from the next
 * request on. Null when it must not be spoken to: unknown, deleted or disabled, but for a stream of security events, which has
 * yet to be told that.
 */
export const openReceiver = async (reading: ReceiverReading, { platform, endpoint }: EndpointKey): Promise<Receiver | null> => {
  const { log, sealer } = reading;
  const loaded = await log.load(platform, [{ streamId: endpoint, withSecrets: true }, { streamId: platformStream }]);
  const stream = loaded.stream(endpoint);
  const state = fold(webhookEndpointDecider, stream);
  if (state.status !== 'active' && (state.status !== 'disabled' || state.signals === null || !state.verified)) return null;
  const owner = fold(platformDecider, loaded.stream(platformStream));
  const place = { platform, owner: endpoint, credentials: stream.credentials };
  const open = (kind: 'webhook_secret' | 'webhook_bearer', id: string): string =>
    decoder.decode(openCredential(sealer, { ...place, kind, id }));
  const seconds = loaded.now / 1000;
  const platformKey =
    state.session !== null && state.signature === 'v1a' ? await openSigningKey(reading, { platform, alg: 'EdDSA' }) : null;
  const [ownKey] = state.signature === 'v1a' && state.session === null ? state.secrets : [];
  return {
    url: state.url,
    ordered: state.ordered,
    concurrency: state.concurrency,
    ratePerSecond: state.ratePerSecond,
    verified: state.verified,
    hearsAll: state.status === 'active' && state.verified && state.paused === null,
    secrets: validSecrets(state.secrets, seconds).map((id) => open('webhook_secret', id)),
    bearers: validSecrets(state.bearers, seconds).map((id) => open('webhook_bearer', id)),
    headers:
      state.headers === null
        ? {}
        : openHeaders(sealer, { platform, endpoint, id: state.headers.credentialId, credentials: stream.credentials }),
    keyId: platformKey?.kid ?? ownKey?.credentialId ?? null,
    platformKey,
    echo: echoOf(reading, { platform, endpoint, state, wrappedKey: stream.dataKey, hasPlatformKey: platformKey !== null }),
    allowLoopback: owner.status !== 'none' && owner.document.webhooks.allowLoopback,
    signals: state.signals === null ? null : await openSignals(reading, { platform, endpoint, terms: state.signals, owner }),
  };
};
