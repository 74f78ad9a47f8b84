import { type Decider, type Decision, record, refuse } from '@grantlog/eventsourcing';
import type { AccountId } from '../ids.ts';
import { sameJson } from '../same-json.ts';
import { audienceProblem, type EndpointProblem, endpointProblem, typesProblem } from './check-settings.ts';
import type {
  EndpointDisabledReason,
  EndpointHeaders,
  EndpointRecovery,
  EndpointRegistration,
  EndpointSettings,
  WebhookEndpointEvent,
} from './events.ts';
import { type EndpointRecord, evolveWebhookEndpoint, noEndpoint, type WebhookEndpointState } from './state.ts';

export type WebhookEndpointCommand =
  /** `allowLoopback` is the platform's own setting, for development. */
  | ({ readonly type: 'register'; readonly allowLoopback: boolean } & EndpointRegistration)
  | { readonly type: 'verify' }
  /** `state` is for a stream of security events, to be repeated in its verification. */
  | { readonly type: 'test'; readonly state?: string }
  /** `failingSince` in milliseconds since the epoch. */
  | { readonly type: 'warn'; readonly failingSince: number }
  | { readonly type: 'update'; readonly changes: Partial<EndpointSettings>; readonly allowLoopback: boolean }
  /** `previousValidUntil` in whole seconds since the epoch. */
  | { readonly type: 'rotateSecret'; readonly credentialId: string; readonly previousValidUntil: number }
  /** `previousValidUntil` in whole seconds since the epoch. */
  | { readonly type: 'rotateBearer'; readonly credentialId: string; readonly previousValidUntil: number }
  /** Null takes them away. */
  | { readonly type: 'setHeaders'; readonly headers: EndpointHeaders | null }
  /** The event takes the sealed data with it. */
  | { readonly type: 'setContext'; readonly hasDeliveryContext: boolean }
  | { readonly type: 'disable'; readonly reason: EndpointDisabledReason }
  | { readonly type: 'enable' }
  | { readonly type: 'pause'; readonly reason: string | null }
  | { readonly type: 'resume' }
  | { readonly type: 'removeSubject'; readonly account: AccountId }
  | { readonly type: 'addSubject'; readonly account: AccountId }
  /** `over` is the recovery that is known to have been carried out, or null. */
  | { readonly type: 'recover'; readonly recovery: EndpointRecovery; readonly over: string | null }
  | { readonly type: 'cancelRecovery'; readonly recoveryId: string }
  | { readonly type: 'delete' };

export type WebhookEndpointRefusal =
  | 'endpoint_exists'
  | 'unknown_endpoint'
  | 'endpoint_deleted'
  | 'endpoint_disabled'
  | 'endpoint_unverified'
  | 'recovery_running'
  | 'secret_missing'
  | 'too_many_subjects'
  | 'too_many_secrets'
  | EndpointProblem;

/** Accounts that one endpoint may leave out. */
const mostWithout = 1_000;

type Outcome = Decision<WebhookEndpointEvent, WebhookEndpointRefusal>;
type Living = EndpointRecord & { readonly status: 'active' | 'disabled' };

const register = (command: Extract<WebhookEndpointCommand, { type: 'register' }>, state: WebhookEndpointState): Outcome => {
  if (state.status !== 'none') return refuse(state.status === 'deleted' ? 'endpoint_deleted' : 'endpoint_exists');
  const { type: _, allowLoopback, ...registration } = command;
  // Security events are signed by the platform's own key.
  if (registration.secretCredentials.length === 0 && !registration.signals) return refuse('secret_missing');
  if (registration.secretCredentials.length > 2) return refuse('too_many_secrets');
  const problem = endpointProblem(registration, allowLoopback) ?? typesProblem(registration.types) ?? audienceProblem(registration);
  return problem === null
    ? record({ type: 'webhook_endpoint.registered', data: { ...registration, asksForProof: true } })
    : refuse(problem);
};

const change = (command: Exclude<WebhookEndpointCommand, { type: 'register' }>, endpoint: Living): Outcome => {
  switch (command.type) {
    case 'verify':
      return endpoint.verified ? record() : record({ type: 'webhook_endpoint.verified', data: {} });
    case 'test':
      if (endpoint.status === 'disabled') return refuse('endpoint_disabled');
      return record({ type: 'webhook_endpoint.tested', data: command.state === undefined ? {} : { state: command.state } });
    case 'warn':
      // Once for each time that it fails on and on.
      return endpoint.status === 'disabled' || endpoint.warnedOf === command.failingSince
        ? record()
        : record({ type: 'webhook_endpoint.failing', data: { failingSince: command.failingSince } });
    case 'update': {
      const merged = { ...endpoint, ...command.changes };
      if (sameJson(endpoint, merged)) return record();
      const problem = endpointProblem(merged, command.allowLoopback) ?? typesProblem(command.changes.types ?? null);
      return problem === null ? record({ type: 'webhook_endpoint.updated', data: command.changes }) : refuse(problem);
    }
    case 'rotateSecret': {
      const { credentialId, previousValidUntil } = command;
      return record({ type: 'webhook_endpoint.secret_rotated', data: { credentialId, previousValidUntil } });
    }
    case 'rotateBearer': {
      const { credentialId, previousValidUntil } = command;
      return record({ type: 'webhook_endpoint.bearer_rotated', data: { credentialId, previousValidUntil } });
    }
    case 'setHeaders': {
      if (command.headers === null && endpoint.headers === null) return record();
      const { credentialId, names } = command.headers ?? { credentialId: null, names: [] };
      return record({ type: 'webhook_endpoint.headers_set', data: { credentialId, names } });
    }
    case 'setContext':
      return record({ type: 'webhook_endpoint.context_set', data: { hasDeliveryContext: command.hasDeliveryContext } });
    case 'disable':
      // The first reason stays: a failing endpoint is not relabelled by a late 410.
      return endpoint.status === 'disabled' ? record() : record({ type: 'webhook_endpoint.disabled', data: { reason: command.reason } });
    case 'enable':
      return endpoint.status === 'active' ? record() : record({ type: 'webhook_endpoint.enabled', data: {} });
    case 'pause':
      return endpoint.paused === null || endpoint.paused.reason !== command.reason
        ? record({ type: 'webhook_endpoint.paused', data: { reason: command.reason } })
        : record();
    case 'resume':
      return endpoint.paused === null ? record() : record({ type: 'webhook_endpoint.resumed', data: {} });
    case 'removeSubject':
      if (endpoint.without.includes(command.account)) return record();
      if (endpoint.without.length >= mostWithout) return refuse('too_many_subjects');
      return record({ type: 'webhook_endpoint.subject_removed', data: { account: command.account } });
    case 'addSubject':
      return endpoint.without.includes(command.account)
        ? record({ type: 'webhook_endpoint.subject_added', data: { account: command.account } })
        : record();
    case 'recover':
      if (endpoint.status === 'disabled') return refuse('endpoint_disabled');
      if (!endpoint.verified) return refuse('endpoint_unverified');
      return endpoint.recovery === null || endpoint.recovery.recoveryId === command.over
        ? record({ type: 'webhook_endpoint.recovery_requested', data: command.recovery })
        : refuse('recovery_running');
    case 'cancelRecovery': {
      const { recoveryId } = command;
      return endpoint.recovery?.recoveryId === recoveryId
        ? record({ type: 'webhook_endpoint.recovery_cancelled', data: { recoveryId } })
        : record();
    }
    case 'delete':
      return record({ type: 'webhook_endpoint.deleted', data: {} });
  }
};

/** Asking again for what already is records nothing and is no refusal. */
const decide = (command: WebhookEndpointCommand, state: WebhookEndpointState): Outcome => {
  if (command.type === 'register') return register(command, state);
  switch (state.status) {
    case 'none':
      return refuse('unknown_endpoint');
    case 'deleted':
      return command.type === 'delete' ? record() : refuse('endpoint_deleted');
    case 'active':
    case 'disabled':
      return change(command, state);
  }
};

/** A registered webhook URL: what it hears, how it is signed for, and whether it is spoken to at all. */
export const webhookEndpointDecider: Decider<WebhookEndpointState, WebhookEndpointCommand, WebhookEndpointEvent, WebhookEndpointRefusal> = {
  initial: noEndpoint,
  decide,
  evolve: evolveWebhookEndpoint,
};
