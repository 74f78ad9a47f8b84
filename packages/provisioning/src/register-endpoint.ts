import { standingId } from '@grantlog/crypto';
import type { EndpointId, EndpointSettings, WebhookEndpointRefusal, WebhookSignature } from '@grantlog/domain';
import { clientDecider, platformDecider, platformStream, standingKinds, webhookEndpointDecider } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { change } from './change.ts';
import type { ShownEndpointSecret } from './endpoint-secret.ts';
import { newEndpointSecret } from './endpoint-secret.ts';
import type { By, Provisioning } from './provisioning.ts';

export type NewEndpoint = EndpointSettings & {
  readonly platform: PlatformId;
  /** The client whose events it hears; null for all of the platform's. */
  readonly clientId: string | null;
  readonly signature: WebhookSignature;
  /** Whether the server is in development: only then may the platform's document allow loopback. */
  readonly isDevelopment: boolean;
};

export type EndpointRegistered =
  | { readonly endpoint: EndpointId; readonly shown: ShownEndpointSecret; readonly position: number }
  | { readonly refusal: 'unknown_platform' | 'unknown_client' | WebhookEndpointRefusal };

/** Registers a webhook endpoint with a signing secret of its own, which is shown here and never again. */
export const registerEndpoint = async (context: Provisioning, by: By, endpoint: NewEndpoint): Promise<EndpointRegistered> => {
  const { platform, clientId, signature, isDevelopment, ...settings } = endpoint;
  const names = await context.directory.open(platform);
  if (names === null) return { refusal: 'unknown_platform' };
  const id = standingId(standingKinds.webhookEndpoint) as EndpointId;
  const client = clientId === null ? null : names.client(clientId);
  const { credential, shown } = newEndpointSecret(context.sealer, { platform, endpoint: id, signature });
  await insertCredentials(context.pool, [credential]);

  const changed = await change<'unknown_platform' | 'unknown_client' | WebhookEndpointRefusal>(context, by, {
    platform,
    requests: [{ streamId: platformStream }, { streamId: id }, ...(client === null ? [] : [{ streamId: client }])],
    decide: (loaded) => {
      const owner = fold(platformDecider, loaded.stream(platformStream));
      if (owner.status === 'none') return { refusal: 'unknown_platform' };
      const heard = client === null ? null : fold(clientDecider, loaded.stream(client)).status;
      if (heard === 'none' || heard === 'deleted') return { refusal: 'unknown_client' };
      const allowLoopback = isDevelopment && owner.document.webhooks.allowLoopback;
      const { events, refusal } = webhookEndpointDecider.decide(
        { type: 'register', ...settings, client, signature, secretCredentials: [credential.id], allowLoopback },
        fold(webhookEndpointDecider, loaded.stream(id)),
      );
      if (refusal !== undefined) return { refusal };
      return { writes: [{ streamId: id, events }], reads: [platformStream, ...(client === null ? [] : [client])] };
    },
  });
  return 'refusal' in changed ? changed : { endpoint: id, shown, position: changed.position };
};
