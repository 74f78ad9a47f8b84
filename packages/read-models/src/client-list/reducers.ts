import { sameAnswer } from '@grantlog/domain';
import type { Placement } from '@grantlog/eventsourcing';
import type { Reducers } from '../projection/projection.ts';
import type { ClientListChange, ClientPatch } from './row.ts';

const at = (event: Placement) => ({ client: event.streamId, version: event.version, position: event.position });
const patch = (event: Placement, set: ClientPatch): ClientListChange => ({ kind: 'patch', ...at(event), set });
const noProposal = { hasProposal: false, proposedName: null } as const;

/** What every event means to the list of clients. */
export const clientListReducers: Reducers<ClientListChange> = {
  'client.registered': (event) => ({
    kind: 'begin',
    row: {
      ...at(event),
      firstPosition: event.position,
      clientId: event.data.clientId,
      name: event.data.name,
      owner: event.data.owner ?? null,
      kind: event.data.kind,
      how: event.data.how,
      status: 'active',
      approval: event.data.approval,
      ...noProposal,
      registeredAt: event.recordedAt,
      used: false,
    },
  }),
  'client.updated': (event) => {
    const { name, kind } = event.data;
    return patch(event, { ...(name === undefined ? {} : { name }), ...(kind === undefined ? {} : { kind }) });
  },
  'client.approved': (event) => ({ kind: 'approve', ...at(event) }),
  'client.rejected': (event) => patch(event, { approval: 'rejected' }),
  'client.resubmitted': (event) => patch(event, { approval: 'pending' }),
  'client.change_proposed': (event) => patch(event, { hasProposal: true, proposedName: event.data.changes.name ?? null }),
  'client.change_withdrawn': (event) => patch(event, noProposal),
  'client.change_rejected': (event) => patch(event, noProposal),
  'client.disabled': (event) => patch(event, { status: 'disabled' }),
  'client.enabled': (event) => patch(event, { status: 'active' }),
  'client.used': (event) => patch(event, { used: true }),
  'client.deleted': (event) => patch(event, { status: 'deleted', ...noProposal }),
  // Nothing that a list shows; the version moves on all the same.
  'client.secret_rotated': (event) => patch(event, {}),
  'client.grants_revoked': (event) => patch(event, {}),
  ...sameAnswer('ignored', 'grant', 'authorized', 'denied', 'code_redeemed', 'refreshed', 'context_selected', 'expired', 'revoked'),
  ...sameAnswer('ignored', 'grant', 'code_replayed', 'refresh_retried', 'refresh_reused', 'access_token_revoked'),
  ...sameAnswer('ignored', 'account', 'grants_revoked', 'registered', 'password_set', 'roles_assigned', 'mfa_enrolled', 'mfa_removed'),
  ...sameAnswer('ignored', 'account', 'contexts_set', 'subject_linked', 'recovery_codes_set', 'recovery_code_used', 'disabled', 'enabled'),
  // An owner's id stays a pseudonym, as it does in the log.
  'account.erased': 'ignored',
  ...sameAnswer('ignored', 'platform', 'grants_revoked', 'configured', 'suspended', 'resumed'),
  ...sameAnswer('ignored', 'sign_in', 'succeeded', 'failed', 'ended'),
  ...sameAnswer('ignored', 'name', 'claimed', 'released'),
  ...sameAnswer('ignored', 'session', 'started', 'webhook_registered', 'linked', 'redeemed', 'denied', 'expired', 'revoked'),
  ...sameAnswer('ignored', 'webhook_endpoint', 'registered', 'verified', 'updated', 'secret_rotated', 'disabled', 'enabled', 'deleted'),
  ...sameAnswer('ignored', 'webhook_endpoint', 'bearer_rotated', 'headers_set', 'context_set', 'tested', 'failing'),
  ...sameAnswer('ignored', 'webhook_endpoint', 'recovery_requested', 'recovery_cancelled'),
  ...sameAnswer('ignored', 'webhook_endpoint', 'paused', 'resumed', 'subject_removed', 'subject_added'),
  ...sameAnswer('ignored', 'signing_key', 'created', 'activated', 'retired'),
  ...sameAnswer('ignored', 'audit', 'read', 'archived'),
};
