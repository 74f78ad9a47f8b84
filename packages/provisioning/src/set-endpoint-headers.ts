import type { EndpointId, WebhookEndpointRefusal } from '@grantlog/domain';
import { sameJson, webhookEndpointDecider } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { type Changed, change, type Intent } from './change.ts';
import { type EndpointManager, seenBy } from './endpoint-manager.ts';
import type { By, Provisioning } from './provisioning.ts';
import { openHeaders, sealHeaders, type WebhookHeaders } from './sealed-headers.ts';

type Refusal = 'endpoint_of_session' | WebhookEndpointRefusal;

/** Gives an endpoint these headers instead of those that it has; none takes them away. Those that it has record nothing. */
export const setEndpointHeaders = async (
  context: Provisioning,
  by: By,
  task: {
    readonly platform: PlatformId;
    readonly endpoint: EndpointId;
    readonly manager: EndpointManager;
    /** Such as may be sent: names and values are judged before. */
    readonly headers: WebhookHeaders;
  },
): Promise<Changed<Refusal>> => {
  const { platform, endpoint, manager, headers } = task;
  const { sealer } = context;
  const names = Object.keys(headers);
  const requests = [{ streamId: endpoint, withSecrets: true }];
  const credential = names.length === 0 ? null : sealHeaders(sealer, { platform, endpoint, headers });
  const decide = (loaded: Loaded): Intent<Refusal> => {
    const stream = loaded.stream(endpoint);
    const state = seenBy(manager, fold(webhookEndpointDecider, stream));
    if ('session' in state && state.session !== null) return { refusal: 'endpoint_of_session' };
    const has = 'headers' in state ? state.headers : null;
    const { credentials } = stream;
    if (has !== null && sameJson(openHeaders(sealer, { platform, endpoint, id: has.credentialId, credentials }), headers))
      return { writes: [] };
    const given = credential === null ? null : { credentialId: credential.id, names };
    const { events, refusal } = webhookEndpointDecider.decide({ type: 'setHeaders', headers: given }, state);
    return refusal === undefined ? { writes: [{ streamId: endpoint, events }] } : { refusal };
  };
  // What would be refused, or is so already, stores nothing.
  const early = decide(await context.log.load(platform, requests));
  if ('refusal' in early) return early;
  if (credential !== null && early.writes.length > 0) await insertCredentials(context.pool, [credential]);
  return change(context, by, { platform, requests, decide });
};
