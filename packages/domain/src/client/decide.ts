import { type Decider, type Decision, record, refuse } from '@grantlog/eventsourcing';
import { sameJson } from '../same-json.ts';
import { type SettingsProblem, settingsProblem } from './check-settings.ts';
import type { ClientEvent, ClientRegistration, ClientSettings } from './events.ts';
import { type ClientRecord, type ClientState, evolveClient, noClient } from './state.ts';

export type ClientCommand =
  | ({ readonly type: 'register' } & ClientRegistration)
  | { readonly type: 'update'; readonly changes: Partial<ClientSettings> }
  | { readonly type: 'approve' }
  | { readonly type: 'reject'; readonly reason: string }
  /** `previousValidUntil` in whole seconds since the epoch; now or earlier ends the previous secret at once. */
  | { readonly type: 'rotateSecret'; readonly credentialId: string; readonly previousValidUntil: number }
  | { readonly type: 'disable'; readonly reason: string }
  | { readonly type: 'enable' }
  | { readonly type: 'revokeGrants'; readonly reason: string }
  | { readonly type: 'delete' };

export type ClientRefusal =
  | 'client_exists'
  | 'unknown_client'
  | 'client_deleted'
  | 'already_approved'
  | 'secret_missing'
  | 'secret_not_allowed'
  | SettingsProblem;

type Outcome = Decision<ClientEvent, ClientRefusal>;
type Living = ClientRecord & { readonly status: 'active' | 'disabled' };

const register = (command: Extract<ClientCommand, { type: 'register' }>, state: ClientState): Outcome => {
  // A client_id is never given to another client: grants of the deleted one still stand in the log.
  if (state.status !== 'none') return refuse(state.status === 'deleted' ? 'client_deleted' : 'client_exists');
  const { type: _, ...registration } = command;
  if (registration.kind === 'confidential' && registration.secretCredential === null) return refuse('secret_missing');
  if (registration.kind === 'public' && registration.secretCredential !== null) return refuse('secret_not_allowed');
  const problem = settingsProblem(registration.kind, registration);
  return problem === null ? record({ type: 'client.registered', data: registration }) : refuse(problem);
};

const update = (changes: Partial<ClientSettings>, client: Living): Outcome => {
  const merged = { ...client, ...changes };
  if (sameJson(client, merged)) return record();
  const problem = settingsProblem(client.kind, merged);
  return problem === null ? record({ type: 'client.updated', data: changes }) : refuse(problem);
};

const change = (command: Exclude<ClientCommand, { type: 'register' }>, client: Living): Outcome => {
  switch (command.type) {
    case 'update':
      return update(command.changes, client);
    case 'approve':
      return client.approval === 'approved' ? record() : record({ type: 'client.approved', data: {} });
    case 'reject':
      // An approved client may have grants: disable it, which can be undone, or delete it.
      if (client.approval === 'approved') return refuse('already_approved');
      return client.approval === 'rejected' ? record() : record({ type: 'client.rejected', data: { reason: command.reason } });
    case 'rotateSecret': {
      if (client.kind === 'public') return refuse('secret_not_allowed');
      const { credentialId, previousValidUntil } = command;
      return record({ type: 'client.secret_rotated', data: { credentialId, previousValidUntil } });
    }
    case 'disable':
      return client.status === 'disabled' ? record() : record({ type: 'client.disabled', data: { reason: command.reason } });
    case 'enable':
      return client.status === 'active' ? record() : record({ type: 'client.enabled', data: {} });
    case 'revokeGrants':
      return record({ type: 'client.grants_revoked', data: { reason: command.reason } });
    case 'delete':
      return record({ type: 'client.deleted', data: {} });
  }
};

/** Asking again for what already is records nothing and is no refusal. */
const decide = (command: ClientCommand, state: ClientState): Outcome => {
  if (command.type === 'register') return register(command, state);
  switch (state.status) {
    case 'none':
      return refuse('unknown_client');
    case 'deleted':
      return command.type === 'delete' ? record() : refuse('client_deleted');
    case 'active':
    case 'disabled':
      return change(command, state);
  }
};

/** An OAuth client. Pending and disabled are apart: a disabled client that is enabled again is as approved as it was. */
export const clientDecider: Decider<ClientState, ClientCommand, ClientEvent, ClientRefusal> = {
  initial: noClient,
  decide,
  evolve: evolveClient,
};
