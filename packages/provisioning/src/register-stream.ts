import { standingId } from '@grantlog/crypto';
import type { ClientStreamId, EndpointId, SignalTerms, WebhookEndpointRefusal } from '@grantlog/domain';
import { clientDecider, platformDecider, platformStream, standingKinds, typesOfSignals, webhookEndpointDecider } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { change, type Intent } from './change.ts';
import { sealBearer } from './endpoint-bearer.ts';
import { claimSlot, slotsOf } from './endpoint-slots.ts';
import type { By, Provisioning } from './provisioning.ts';

/** The address of a stream whose receiver polls: the name of that method (RFC 8936), as such a stream is not spoken to. */
export const pollMethod = 'urn:ietf:rfc:8936';
/** The name of the other method (RFC 8935). */
export const pushMethod = 'urn:ietf:rfc:8935';

export type NewStream = {
  readonly platform: PlatformId;
  /** Its receiver, which manages it. */
  readonly client: ClientStreamId;
  readonly clientId: string;
  /** Whether it hears of the whole platform, and not of what concerns its client alone. */
  readonly isWide: boolean;
  /** Where to push; null for a receiver that polls. */
  readonly url: string | null;
  /** What pushes carry as `Authorization`, whole; null for nothing. */
  readonly authorization: string | null;
  /** URIs of events; null for all. */
  readonly requested: readonly string[] | null;
  readonly description: string;
  /** Whether the server is in development: only then may the platform's document allow loopback. */
  readonly isDevelopment: boolean;
};

export type RegisterStreamRefusal = 'unknown_platform' | 'unknown_client' | 'too_many_endpoints' | WebhookEndpointRefusal;

/** Registers a stream of security events for a client. Its places are those of the client's webhook endpoints. */
export const registerStream = async (
  context: Provisioning,
  by: By,
  stream: NewStream,
): Promise<{ readonly endpoint: EndpointId; readonly position: number } | { readonly refusal: RegisterStreamRefusal }> => {
  const { platform, client, clientId, isWide, url, authorization, requested, description, isDevelopment } = stream;
  const names = await context.directory.open(platform);
  if (names === null) return { refusal: 'unknown_platform' };
  const id = standingId(standingKinds.webhookEndpoint) as EndpointId;
  const slots = slotsOf(names, { kind: 'receiver', client });
  const bearer = authorization === null ? null : sealBearer(context, { platform, endpoint: id, token: authorization });
  const signals: SignalTerms = { method: url === null ? 'poll' : 'push', receiver: client, audience: clientId, requested };
  const requests = [platformStream, id, client, ...slots].map((streamId) => ({ streamId }));
  const decide = (loaded: Loaded): Intent<RegisterStreamRefusal> => {
    const owner = fold(platformDecider, loaded.stream(platformStream));
    if (owner.status === 'none') return { refusal: 'unknown_platform' };
    if (fold(clientDecider, loaded.stream(client)).status !== 'active') return { refusal: 'unknown_client' };
    const slot = claimSlot(loaded, slots, id);
    if (slot === null) return { refusal: 'too_many_endpoints' };
    const { events, refusal } = webhookEndpointDecider.decide(
      {
        type: 'register',
        url: url ?? pollMethod,
        types: typesOfSignals(requested),
        signals,
        // What happened to one subject is told in its order (SSF 1.0 §8.1.2).
        ordered: true,
        concurrency: 8,
        description,
        client: isWide ? null : client,
        registeredBy: 'client',
        slot: slot.streamId,
        signature: 'v1',
        secretCredentials: [],
        bearerCredential: bearer?.id ?? null,
        allowLoopback: isDevelopment && owner.document.webhooks.allowLoopback,
      },
      fold(webhookEndpointDecider, loaded.stream(id)),
    );
    if (refusal !== undefined) return { refusal };
    return { writes: [{ streamId: id, events }, slot], reads: [platformStream, client] };
  };
  // What would be refused stores nothing.
  const early = decide(await context.log.load(platform, requests));
  if ('refusal' in early) return early;
  if (bearer !== null) await insertCredentials(context.pool, [bearer]);
  const changed = await change(context, by, { platform, requests, decide });
  return 'refusal' in changed ? changed : { endpoint: id, position: changed.position };
};
