import { type Decider, type Decision, record, refuse } from '@grantlog/eventsourcing';
import type { Instant } from '../ids.ts';
import { sameJson } from '../same-json.ts';
import { isSecretMethod, type SettingsProblem, settingsProblem } from './check-settings.ts';
import type { ClientDeletion, ClientEvent, ClientKind, ClientRegistration, ClientSettings, DeveloperSettings } from './events.ts';
import { extraDefaults } from './events.ts';
import { splitChange, untouchedBy } from './needs-review.ts';
import { type ClientRecord, type ClientState, evolveClient, noClient } from './state.ts';

export type ClientCommand =
  | ({ readonly type: 'register' } & ClientRegistration)
  | { readonly type: 'update'; readonly changes: Partial<ClientSettings> }
  /** What the document of a client says by now, of one that is described by its document. */
  | { readonly type: 'redescribe'; readonly kind: ClientKind; readonly settings: Partial<ClientSettings> }
  /** A change by its developer where an operator approves clients: what widens an approved one is proposed, the rest is done. */
  | { readonly type: 'propose'; readonly changes: Partial<DeveloperSettings> }
  /** `asOf` is the position of the log that the operator looked at: what was changed after it is not approved. */
  | { readonly type: 'approve'; readonly asOf: number }
  /** Refuses the client, or the change that is proposed for an approved one, whatever it is by now: nobody evades it by changing again. */
  | { readonly type: 'reject'; readonly reason: string }
  /** `previousValidUntil` in whole seconds since the epoch; now or earlier ends the previous secret at once. */
  | { readonly type: 'rotateSecret'; readonly credentialId: string; readonly previousValidUntil: number }
  | { readonly type: 'disable'; readonly reason: string }
  | { readonly type: 'enable' }
  | { readonly type: 'revokeGrants'; readonly reason: string }
  /** A person grants it something: recorded once, of a client that registered itself. */
  | { readonly type: 'use' }
  /** Ends one that registered itself and that nobody has granted anything in `seconds`. */
  | { readonly type: 'reap'; readonly now: Instant; readonly seconds: number }
  | { readonly type: 'delete'; readonly reason?: ClientDeletion };

export type ClientRefusal =
  | 'client_exists'
  | 'unknown_client'
  | 'client_deleted'
  | 'already_approved'
  | 'changed_since'
  | 'still_in_use'
  | 'not_described'
  | 'secret_missing'
  | 'secret_not_allowed'
  | SettingsProblem;

type Outcome = Decision<ClientEvent, ClientRefusal>;
type Living = ClientRecord & { readonly status: 'active' | 'disabled' };

const register = (command: Extract<ClientCommand, { type: 'register' }>, state: ClientState): Outcome => {
  // A client_id is never given to another client: grants of the deleted one still stand in the log.
  if (state.status !== 'none') return refuse(state.status === 'deleted' ? 'client_deleted' : 'client_exists');
  const { type: _, ...registration } = command;
  const showsSecret = registration.authMethods.some(isSecretMethod);
  if (registration.kind === 'public' && registration.secretCredential !== null) return refuse('secret_not_allowed');
  const problem = settingsProblem(registration.kind, { ...extraDefaults, ...registration });
  if (problem === null && showsSecret && registration.secretCredential === null) return refuse('secret_missing');
  return problem === null ? record({ type: 'client.registered', data: registration }) : refuse(problem);
};

const update = (changes: Partial<ClientSettings>, client: Living): Outcome => {
  const merged = { ...client, ...changes };
  if (sameJson(client, merged)) return record();
  const problem = settingsProblem(client.kind, merged);
  return problem === null ? record({ type: 'client.updated', data: changes }) : refuse(problem);
};

const redescribe = ({ kind, settings }: Extract<ClientCommand, { type: 'redescribe' }>, client: Living): Outcome => {
  if (client.how !== 'metadata_document') return refuse('not_described');
  const merged = { ...client, ...settings };
  const problem = settingsProblem(kind, merged);
  if (problem !== null) return refuse(problem);
  const changed = Object.entries(settings).filter(([name, value]) => !sameJson(client[name as keyof ClientSettings], value));
  const changes = { ...Object.fromEntries(changed), ...(kind === client.kind ? {} : { kind }) };
  return Object.keys(changes).length === 0 ? record() : record({ type: 'client.updated', data: changes });
};

const propose = (changes: Partial<DeveloperSettings>, client: Living): Outcome => {
  if (client.approval !== 'approved') {
    const updated = update(changes, client);
    if (client.approval === 'pending' || updated.refusal !== undefined || updated.events.length === 0) return updated;
    return record(...updated.events, { type: 'client.resubmitted', data: {} });
  }
  const earlier = client.proposed?.changes ?? {};
  const { atOnce, forReview } = splitChange(client, changes);
  const applied = update(atOnce, client);
  if (applied.refusal !== undefined) return applied;
  // Complete, and less what was asked for again in a narrower form or taken back.
  const proposed = { ...untouchedBy(changes, earlier), ...forReview };
  const problem = settingsProblem(client.kind, { ...client, ...atOnce, ...proposed });
  if (problem !== null) return refuse(problem);
  if (sameJson(proposed, earlier)) return applied;
  const nothingLeft = Object.keys(proposed).length === 0;
  return record(
    ...applied.events,
    nothingLeft ? { type: 'client.change_withdrawn', data: {} } : { type: 'client.change_proposed', data: { changes: proposed } },
  );
};

const approve = (asOf: number, client: Living): Outcome => {
  // What the operator read and what is approved have to be the same.
  if (client.reviewPosition > asOf) return refuse('changed_since');
  if (client.approval === 'approved' && client.proposed === null) return record();
  // Settings may have been narrowed since the proposal, so that the two do not go together any more.
  const problem = settingsProblem(client.kind, { ...client, ...client.proposed?.changes });
  return problem === null ? record({ type: 'client.approved', data: {} }) : refuse(problem);
};

const reject = (reason: string, client: Living): Outcome => {
  switch (client.approval) {
    case 'approved':
      // An approved client may have grants: disable it, which can be undone, or delete it.
      return client.proposed === null ? refuse('already_approved') : record({ type: 'client.change_rejected', data: { reason } });
    case 'pending':
      return record({ type: 'client.rejected', data: { reason } });
    case 'rejected':
      return record();
  }
};

const change = (command: Exclude<ClientCommand, { type: 'register' }>, client: Living): Outcome => {
  switch (command.type) {
    case 'update':
      return update(command.changes, client);
    case 'redescribe':
      return redescribe(command, client);
    case 'propose':
      return propose(command.changes, client);
    case 'approve':
      return approve(command.asOf, client);
    case 'reject':
      return reject(command.reason, client);
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
    case 'use':
      return client.how !== 'dynamic' || client.used ? record() : record({ type: 'client.used', data: {} });
    case 'reap': {
      const isIdle = client.how === 'dynamic' && !client.used && command.now - client.registeredAt >= command.seconds * 1000;
      return isIdle ? record({ type: 'client.deleted', data: { reason: 'unused' } }) : refuse('still_in_use');
    }
    case 'delete':
      return record({ type: 'client.deleted', data: command.reason === undefined ? {} : { reason: command.reason } });
  }
};

/** Asking again for what already is records nothing and is no refusal. */
const decide = (command: ClientCommand, state: ClientState): Outcome => {
  if (command.type === 'register') return register(command, state);
  switch (state.status) {
    case 'none':
      return refuse('unknown_client');
    case 'deleted':
      return command.type === 'delete' || command.type === 'reap' ? record() : refuse('client_deleted');
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
