import type { EndpointId, WebhookEndpointRefusal, WebhookEndpointState } from '@grantlog/domain';
import { webhookEndpointDecider } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { change } from './change.ts';
import { type EndpointManager, seenBy } from './endpoint-manager.ts';
import type { ShownEndpointSecret } from './endpoint-secret.ts';
import { newEndpointSecret } from './endpoint-secret.ts';
import type { By, Provisioning } from './provisioning.ts';

/** Gives an endpoint a new signing secret; for `overlapSeconds` deliveries are signed with the previous one too. */
export const rotateEndpointSecret = async (
  context: Provisioning,
  by: By,
  task: {
    readonly platform: PlatformId;
    readonly endpoint: EndpointId;
    readonly manager: EndpointManager;
    readonly overlapSeconds: number;
  },
): Promise<{ readonly shown: ShownEndpointSecret; readonly position: number } | { readonly refusal: WebhookEndpointRefusal }> => {
  const { platform, endpoint, manager } = task;
  const stateIn = (loaded: Loaded): WebhookEndpointState => seenBy(manager, fold(webhookEndpointDecider, loaded.stream(endpoint)));
  const before = stateIn(await context.log.load(platform, [{ streamId: endpoint }]));
  if (before.status === 'none') return { refusal: 'unknown_endpoint' };
  if (before.status === 'deleted') return { refusal: 'endpoint_deleted' };
  // How an endpoint is signed for is said at its registration and never changes.
  const { credential, shown } = newEndpointSecret(context.sealer, { platform, endpoint, signature: before.signature });
  await insertCredentials(context.pool, [credential]);
  const changed = await change(context, by, {
    platform,
    requests: [{ streamId: endpoint }],
    decide: (loaded) => {
      const previousValidUntil = Math.floor(loaded.now / 1000) + task.overlapSeconds;
      const { events, refusal } = webhookEndpointDecider.decide(
        { type: 'rotateSecret', credentialId: credential.id, previousValidUntil },
        stateIn(loaded),
      );
      return refusal === undefined ? { writes: [{ streamId: endpoint, events }] } : { refusal };
    },
  });
  return 'refusal' in changed ? changed : { shown, position: changed.position };
};
