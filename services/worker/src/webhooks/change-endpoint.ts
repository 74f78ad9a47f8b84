import { type WebhookEndpointCommand, type WebhookEndpointState, webhookEndpointDecider } from '@grantlog/domain';
import { type EventLog, execute, fold } from '@grantlog/eventsourcing';
import type { Database, EndpointKey } from '@grantlog/postgres';
import { commitOn } from '@grantlog/provisioning';
import { causedByTold } from '../causes.ts';

const actor = { kind: 'system', id: 'webhooks' } as const;

type Context = { readonly log: EventLog; readonly pool: Database };
/** An endpoint, and the position of the event that its receiver was told of when it answered so. */
type Found = EndpointKey & { readonly told: number };

/** Records what the delivery found out about an endpoint; nothing where `command` is null. Says whether this call recorded it. */
const changeEndpoint = async (
  { log, pool }: Context,
  { platform, endpoint, told }: Found,
  commandFor: (state: WebhookEndpointState) => WebhookEndpointCommand | null,
): Promise<boolean> => {
  const { appended } = await execute({
    log,
    platform,
    requests: [{ streamId: endpoint }],
    decide: async (loaded) => {
      const state = fold(webhookEndpointDecider, loaded.stream(endpoint));
      const command = commandFor(state);
      if (command === null) return { commit: null, outcome: null };
      const { events } = webhookEndpointDecider.decide(command, state);
      if (events.length === 0) return { commit: null, outcome: null };
      const by = await causedByTold(pool, actor, { platform, position: told });
      return { commit: commitOn(loaded, by, { writes: [{ streamId: endpoint, events }] }), outcome: null };
    },
  });
  return appended !== null;
};

/** An endpoint is spoken to no more. */
export const disableEndpoint = (
  context: Context,
  { reason, ...found }: Found & { readonly reason: 'gone' | 'receiver' | 'unverified' | 'failing' },
): Promise<boolean> => changeEndpoint(context, found, () => ({ type: 'disable', reason }));

/** An endpoint will be disabled soon; once for each time that it fails on and on. */
export const warnOfEndpoint = (context: Context, { failingSince, ...found }: Found & { readonly failingSince: number }): Promise<boolean> =>
  changeEndpoint(context, found, () => ({ type: 'warn', failingSince }));

/** The receiver at this URL wants an endpoint's events; nothing where the endpoint has another URL by now. */
export const verifyEndpoint = (context: Context, { url, ...found }: Found & { readonly url: string }): Promise<boolean> =>
  changeEndpoint(context, found, (state) => (state.status === 'active' && state.url === url ? { type: 'verify' } : null));
