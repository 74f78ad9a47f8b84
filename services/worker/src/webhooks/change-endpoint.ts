import { type WebhookEndpointCommand, type WebhookEndpointState, webhookEndpointDecider } from '@grantlog/domain';
import { type EventLog, execute, fold } from '@grantlog/eventsourcing';
import type { EndpointKey } from '@grantlog/postgres';
import { commitOn } from '@grantlog/provisioning';

const by = { actor: { kind: 'system', id: 'webhooks' }, correlationId: 'webhooks' } as const;

/** Records what the delivery found out about an endpoint; nothing where `command` is null. Says whether this call recorded it. */
const changeEndpoint = async (
  log: EventLog,
  { platform, endpoint }: EndpointKey,
  commandFor: (state: WebhookEndpointState) => WebhookEndpointCommand | null,
): Promise<boolean> => {
  const { appended } = await execute({
    log,
    platform,
    requests: [{ streamId: endpoint }],
    decide: (loaded) => {
      const state = fold(webhookEndpointDecider, loaded.stream(endpoint));
      const command = commandFor(state);
      if (command === null) return { commit: null, outcome: null };
      const { events } = webhookEndpointDecider.decide(command, state);
      return { commit: commitOn(loaded, by, { writes: [{ streamId: endpoint, events }] }), outcome: null };
    },
  });
  return appended !== null;
};

/** An endpoint is spoken to no more. */
export const disableEndpoint = (
  log: EventLog,
  { reason, ...endpoint }: EndpointKey & { readonly reason: 'gone' | 'receiver' | 'unverified' | 'failing' },
): Promise<boolean> => changeEndpoint(log, endpoint, () => ({ type: 'disable', reason }));

/** An endpoint will be disabled soon; once for each time that it fails on and on. */
export const warnOfEndpoint = (
  log: EventLog,
  { failingSince, ...endpoint }: EndpointKey & { readonly failingSince: number },
): Promise<boolean> => changeEndpoint(log, endpoint, () => ({ type: 'warn', failingSince }));

/** The receiver at this URL wants an endpoint's events; nothing where the endpoint has another URL by now. */
export const verifyEndpoint = (log: EventLog, { url, ...endpoint }: EndpointKey & { readonly url: string }): Promise<boolean> =>
  changeEndpoint(log, endpoint, (state) => (state.status === 'active' && state.url === url ? { type: 'verify' } : null));
