import type { EndpointId, WebhookEndpointRefusal } from '@grantlog/domain';
import { webhookEndpointDecider } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { type Changed, change, type Intent } from './change.ts';
import { holdsBearer, sealBearer } from './endpoint-bearer.ts';
import { type EndpointManager, seenBy } from './endpoint-manager.ts';
import type { By, Provisioning } from './provisioning.ts';

type Refusal = 'endpoint_of_session' | WebhookEndpointRefusal;

/**
 * Gives an endpoint another bearer token, or its first; for `overlapSeconds` a receiver that refuses the new one is offered the
 * previous one. The one that it has records nothing. A session's is its agent's to give.
 */
export const rotateEndpointBearer = async (
  context: Provisioning,
  by: By,
  task: {
    readonly platform: PlatformId;
    readonly endpoint: EndpointId;
    readonly manager: EndpointManager;
    /** 1 to 512 visible characters of ASCII. */
    readonly webhookToken: string;
    readonly overlapSeconds: number;
  },
): Promise<Changed<Refusal>> => {
  const { platform, endpoint, manager, webhookToken: token } = task;
  const requests = [{ streamId: endpoint, withSecrets: true }];
  const credential = sealBearer(context, { platform, endpoint, token });
  const decide = (loaded: Loaded): Intent<Refusal> => {
    const state = seenBy(manager, fold(webhookEndpointDecider, loaded.stream(endpoint)));
    if ('session' in state && state.session !== null) return { refusal: 'endpoint_of_session' };
    if (state.status !== 'none' && holdsBearer(context, { platform, endpoint, token }, loaded)) return { writes: [] };
    const previousValidUntil = Math.floor(loaded.now / 1000) + task.overlapSeconds;
    const { events, refusal } = webhookEndpointDecider.decide(
      { type: 'rotateBearer', credentialId: credential.id, previousValidUntil },
      state,
    );
    return refusal === undefined ? { writes: [{ streamId: endpoint, events }] } : { refusal };
  };
  // What would be refused, or is so already, stores nothing.
  const early = decide(await context.log.load(platform, requests));
  if ('refusal' in early) return early;
  if (early.writes.length > 0) await insertCredentials(context.pool, [credential]);
  return change(context, by, { platform, requests, decide });
};
