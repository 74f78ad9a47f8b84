import type {
  AccountId,
  EndpointId,
  EndpointSettings,
  NameId,
  WebhookEndpointCommand,
  WebhookEndpointRefusal,
  WebhookEndpointState,
} from '@grantlog/domain';
import { platformDecider, platformStream, webhookEndpointDecider } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import { type EndpointManager, seenBy } from './endpoint-manager.ts';
import { releaseSlot } from './endpoint-slots.ts';
import type { By, Provisioning } from './provisioning.ts';

/** What is done to an endpoint that is there; secret, token and headers have operations of their own. */
export type EndpointChange =
  | { readonly type: 'update'; readonly changes: Partial<EndpointSettings> }
  | { readonly type: 'test'; readonly state?: string }
  | { readonly type: 'pause'; readonly reason: string | null }
  | { readonly type: 'resume' }
  | { readonly type: 'removeSubject'; readonly account: AccountId }
  | { readonly type: 'addSubject'; readonly account: AccountId }
  | { readonly type: 'disable' }
  | { readonly type: 'enable' }
  | { readonly type: 'delete' };

const toCommand = (change: EndpointChange, allowLoopback: boolean): WebhookEndpointCommand => {
  switch (change.type) {
    case 'update':
      return { ...change, allowLoopback };
    case 'disable':
      return { type: 'disable', reason: 'operator' };
    case 'test':
    case 'pause':
    case 'resume':
    case 'removeSubject':
    case 'addSubject':
    case 'enable':
    case 'delete':
      return change;
  }
};

const slotIn = (state: WebhookEndpointState): NameId | null => ('slot' in state ? state.slot : null);

/** `endpoint_of_session`: its receiver is its agent's to choose, which gives token and context for that one alone. */
export type ChangeEndpointRefusal = 'unknown_platform' | 'endpoint_of_session' | WebhookEndpointRefusal;

/** Changes a webhook endpoint. `isDevelopment` as at its registration. */
export const changeEndpoint = async (
  context: Provisioning,
  by: By,
  task: {
    readonly platform: PlatformId;
    readonly endpoint: EndpointId;
    readonly manager: EndpointManager;
    readonly command: EndpointChange;
    readonly isDevelopment: boolean;
  },
): Promise<Changed<ChangeEndpointRefusal>> => {
  const { platform, endpoint, manager, command } = task;
  if ((await context.directory.open(platform)) === null) return { refusal: 'unknown_platform' };
  const stateIn = (loaded: Loaded): WebhookEndpointState => seenBy(manager, fold(webhookEndpointDecider, loaded.stream(endpoint)));
  const slot = command.type === 'delete' ? slotIn(stateIn(await context.log.load(platform, [{ streamId: endpoint }]))) : null;
  return change<ChangeEndpointRefusal>(context, by, {
    platform,
    requests: [platformStream, endpoint, ...(slot === null ? [] : [slot])].map((streamId) => ({ streamId })),
    decide: (loaded) => {
      const owner = fold(platformDecider, loaded.stream(platformStream));
      if (owner.status === 'none') return { refusal: 'unknown_platform' };
      const allowLoopback = task.isDevelopment && owner.document.webhooks.allowLoopback;
      const state = stateIn(loaded);
      const url = command.type === 'update' ? command.changes.url : undefined;
      if (url !== undefined && 'session' in state && state.session !== null && url !== state.url) return { refusal: 'endpoint_of_session' };
      const { events, refusal } = webhookEndpointDecider.decide(toCommand(command, allowLoopback), state);
      if (refusal !== undefined) return { refusal };
      const freed = slot === null ? [] : [releaseSlot(loaded, slot, endpoint)];
      return { writes: [{ streamId: endpoint, events }, ...freed], reads: command.type === 'update' ? [platformStream] : [] };
    },
  });
};
