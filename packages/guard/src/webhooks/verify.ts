import { constantTimeEqual, readWebhookKey, verifyWebhook, type WebhookSecret } from '@grantlog/crypto';
import type { OnProblem } from '../problem.ts';
import { readBody, type WebhookBody } from '../receiving/body.ts';
import { readHeader, type WebhookHeaders } from '../receiving/headers.ts';
import { readJwksUri } from '../receiving/jwks-uri.ts';
import { createKeySet } from '../receiving/key-set.ts';
import { readMessage } from './message.ts';
import type { ReceiverSettings } from './options.ts';
import type { WebhookRefused, WebhookVerified } from './outcome.ts';
import { readSignatures } from './read-signatures.ts';
import { refuse } from './refusals.ts';

/** A webhook as it came in. */
export type ReceivedWebhook = { readonly headers: WebhookHeaders; readonly body: WebhookBody };

export type Verify = (received: ReceivedWebhook) => Promise<WebhookVerified | WebhookRefused>;

const checkToken = (headers: WebhookHeaders, token: string): WebhookRefused | null => {
  const shown = readHeader(headers, 'authorization');
  if (shown.kind === 'repeated') return refuse('repeated_header');
  const [, bearer] = /^bearer +([\x21-\x7e]+)$/i.exec(shown.kind === 'one' ? shown.value : '') ?? [];
  return bearer !== undefined && constantTimeEqual(bearer, token) ? null : refuse('invalid_token');
};

type KeySetProof = Exclude<ReceiverSettings['proof'], { readonly kind: 'secrets' }>;
type Secrets = { readonly kind: 'secrets'; readonly secrets: readonly WebhookSecret[] };

/** Where the key set lies that a receiver verifies by. */
const locateKeys = (settings: ReceiverSettings, proof: KeySetProof, report: OnProblem): (() => Promise<string | null>) => {
  switch (proof.kind) {
    case 'key_set':
      return () => Promise.resolve(proof.jwksUri);
    case 'issuer':
      return () => readJwksUri({ ...settings, issuer: proof.issuer }, report);
  }
};

/** What the signatures of a request are verified with. Of the request a key's name alone is taken, never an address. */
const secretsOf = (settings: ReceiverSettings, report: OnProblem): ((headers: WebhookHeaders) => Promise<Secrets | WebhookRefused>) => {
  const { proof } = settings;
  if (proof.kind === 'secrets') return () => Promise.resolve(proof);
  const findKey = createKeySet(settings, report, { locate: locateKeys(settings, proof, report), readKey: readWebhookKey });
  return async (headers) => {
    const kid = readHeader(headers, 'webhook-key-id');
    if (kid.kind !== 'one') return refuse(kid.kind === 'none' ? 'missing_key_id' : 'repeated_header');
    const found = await findKey(kid.value);
    switch (found.kind) {
      case 'key':
        return { kind: 'secrets', secrets: [found.key] };
      case 'unknown':
        return refuse('unknown_key');
      case 'unavailable':
        return refuse('keys_unavailable');
    }
  };
};

/**
 * Verifies one webhook at a time: its headers, the receiver's token, the body's size, the key, time and signature, and last what the
 * body says, of which nothing is believed before.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const createVerify = (settings: ReceiverSettings, report: OnProblem): Verify => {
  const { proof, webhookToken, toleranceSeconds, maxBodyBytes, now } = settings;
  const findSecrets = secretsOf(settings, report);

  return async ({ headers, body }) => {
    const id = readHeader(headers, 'webhook-id');
    const timestamp = readHeader(headers, 'webhook-timestamp');
    const signature = readSignatures(headers);
    if (id.kind === 'repeated' || timestamp.kind === 'repeated' || signature.kind === 'repeated') return refuse('repeated_header');
    if (id.kind === 'none' || timestamp.kind === 'none' || signature.kind === 'none') return refuse('missing_header');
    const unauthorized = webhookToken === null ? null : checkToken(headers, webhookToken);
    if (unauthorized !== null) return unauthorized;

    const read = await readBody(body, maxBodyBytes);
    if (read.kind === 'too_large') return refuse('body_too_large');
    if (read.kind === 'unreadable') return refuse('unreadable_body');

    const found = await findSecrets(headers);
    if (found.kind === 'refused') return found;
    const verified = verifyWebhook({
      id: id.value,
      timestamp: timestamp.value,
      signature: signature.value,
      body: read.bytes,
      secrets: found.secrets,
      nowSeconds: Math.floor(now() / 1000),
      toleranceSeconds,
    });
    if (verified.outcome === 'refused') return refuse(verified.reason);

    const message = readMessage({ id: id.value, timestamp: verified.timestampSeconds, bytes: read.bytes });
    if (message === null) return refuse('unexpected_body');
    // The issuer's key signs for every receiver, so another one could send us what it was sent.
    if (proof.kind === 'issuer' && message.data['audience'] !== proof.audience) return refuse('other_audience');
    return { kind: 'verified', message };
  };
};
