import { uuidv7 } from '@grantlog/crypto';
import { type EndpointId, type EndpointRecovery, type WebhookEndpointRefusal, webhookEndpointDecider } from '@grantlog/domain';
import { fold, type PlatformId } from '@grantlog/eventsourcing';
import { change } from './change.ts';
import type { By, Provisioning } from './provisioning.ts';
import { recoveryOver } from './recovery-over.ts';

export type RecoveryRefusal = WebhookEndpointRefusal;

/** Has an endpoint sent once more what it missed. One recovery at a time: the next one waits until it is over or cancelled. */
export const requestRecovery = async (
  context: Pick<Provisioning, 'log' | 'pool'>,
  by: By,
  task: Omit<EndpointRecovery, 'recoveryId'> & { readonly platform: PlatformId; readonly endpoint: EndpointId },
): Promise<{ readonly recoveryId: string; readonly position: number } | { readonly refusal: RecoveryRefusal }> => {
  const { platform, endpoint, ...wanted } = task;
  const recoveryId = uuidv7(Date.now());
  const changed = await change<RecoveryRefusal>(context, by, {
    platform,
    requests: [{ streamId: endpoint }],
    decide: async (loaded) => {
      const state = fold(webhookEndpointDecider, loaded.stream(endpoint));
      const over = await recoveryOver(context.pool, { platform, endpoint, state });
      const { events, refusal } = webhookEndpointDecider.decide({ type: 'recover', recovery: { recoveryId, ...wanted }, over }, state);
      return refusal === undefined ? { writes: [{ streamId: endpoint, events }] } : { refusal };
    },
  });
  return 'refusal' in changed ? changed : { recoveryId, position: changed.position };
};
