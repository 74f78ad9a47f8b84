import type { EndpointId, EndpointSettings, WebhookEndpointCommand, WebhookEndpointRefusal } from '@grantlog/domain';
import { platformDecider, platformStream, webhookEndpointDecider } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import type { By, Provisioning } from './provisioning.ts';

/** What an operator does to an endpoint that is there; its secret is rotated by itself. */
export type EndpointChange =
  | { readonly type: 'update'; readonly changes: Partial<EndpointSettings> }
  | { readonly type: 'disable' }
  | { readonly type: 'enable' }
  | { readonly type: 'delete' };

const toCommand = (change: EndpointChange, allowLoopback: boolean): WebhookEndpointCommand => {
  switch (change.type) {
    case 'update':
      return { ...change, allowLoopback };
    case 'disable':
      return { type: 'disable', reason: 'operator' };
    case 'enable':
    case 'delete':
      return change;
  }
};

/** `endpoint_of_session`: its receiver is its agent's to choose, which gives token and context for that one alone. */
export type ChangeEndpointRefusal = 'unknown_platform' | 'endpoint_of_session' | WebhookEndpointRefusal;

/** Changes a webhook endpoint. `isDevelopment` as at its registration. */
export const changeEndpoint = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly endpoint: EndpointId; readonly command: EndpointChange; readonly isDevelopment: boolean },
): Promise<Changed<ChangeEndpointRefusal>> => {
  const { platform, endpoint, command } = task;
  if ((await context.directory.open(platform)) === null) return { refusal: 'unknown_platform' };
  return change<ChangeEndpointRefusal>(context, by, {
    platform,
    requests: [{ streamId: platformStream }, { streamId: endpoint }],
    decide: (loaded) => {
      const owner = fold(platformDecider, loaded.stream(platformStream));
      if (owner.status === 'none') return { refusal: 'unknown_platform' };
      const allowLoopback = task.isDevelopment && owner.document.webhooks.allowLoopback;
      const state = fold(webhookEndpointDecider, loaded.stream(endpoint));
      const url = command.type === 'update' ? command.changes.url : undefined;
      if (url !== undefined && 'session' in state && state.session !== null && url !== state.url) return { refusal: 'endpoint_of_session' };
      const { events, refusal } = webhookEndpointDecider.decide(toCommand(command, allowLoopback), state);
      if (refusal !== undefined) return { refusal };
      return { writes: [{ streamId: endpoint, events }], reads: command.type === 'update' ? [platformStream] : [] };
    },
  });
};
