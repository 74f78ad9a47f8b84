import { type GrantTerms, type Issue, sameAnswer } from '@grantlog/domain';
import type { Placement } from '@grantlog/eventsourcing';
import type { Reducers } from '../projection/projection.ts';
import type { GrantListChange, GrantPatch, GrantRow } from './row.ts';

const begin = (
  event: Placement & { readonly data: Omit<GrantTerms, 'tokenNonce'> },
  rest: Pick<GrantRow, 'status' | 'reason' | 'tokenSequence' | 'lastIssuedAt' | 'expiresAt' | 'endedAt'>,
): GrantListChange => ({
  kind: 'begin',
  row: {
    grantId: event.streamId,
    version: event.version,
    firstPosition: event.position,
    position: event.position,
    flow: event.data.flow,
    client: event.data.client,
    clientId: event.data.clientId,
    account: event.data.account,
    session: event.data.session,
    scopes: event.data.scopes,
    resources: event.data.resources,
    context: null,
    authorizedAt: event.recordedAt,
    ...rest,
  },
});

const patch = (event: Placement, set: GrantPatch): GrantListChange => ({
  kind: 'patch',
  grantId: event.streamId,
  version: event.version,
  position: event.position,
  set,
});

const issued = (issue: Issue) => ({
  tokenSequence: issue.sequence,
  lastIssuedAt: issue.issuedAt,
  expiresAt: Math.max(issue.accessExpiresAt, issue.refreshExpiresAt ?? 0) * 1000,
});

const cutOff = (event: Placement, of: 'client' | 'account' | 'platform'): GrantListChange => ({
  kind: 'cut_off',
  of,
  subject: event.streamId,
  position: event.position,
  at: event.recordedAt,
});

/** What every event means to the list of grants. */
export const grantListReducers: Reducers<GrantListChange> = {
  'grant.authorized': (event) => {
    const { code, issue } = event.data;
    if (issue !== null) return begin(event, { status: 'active', reason: null, endedAt: null, ...issued(issue) });
    return begin(event, {
      status: 'authorized',
      reason: null,
      tokenSequence: 0,
      lastIssuedAt: null,
      expiresAt: code === null ? null : code.expiresAt * 1000,
      endedAt: null,
    });
  },
  'grant.denied': (event) =>
    begin(event, {
      status: 'denied',
      reason: event.data.reason,
      tokenSequence: 0,
      lastIssuedAt: null,
      expiresAt: null,
      endedAt: event.recordedAt,
    }),
  'grant.code_redeemed': (event) => patch(event, { status: 'active', ...issued(event.data.issue) }),
  'grant.refreshed': (event) => patch(event, issued(event.data.issue)),
  'grant.context_selected': (event) => patch(event, { context: event.data.context }),
  'grant.expired': (event) => patch(event, { status: 'expired', reason: 'expired', endedAt: event.recordedAt }),
  'grant.revoked': (event) => patch(event, { status: 'revoked', reason: event.data.reason, endedAt: event.recordedAt }),
  // These say something about the grant's use and nothing that a list shows; the version moves on all the same.
  'grant.code_replayed': (event) => patch(event, {}),
  'grant.refresh_retried': (event) => patch(event, {}),
  'grant.refresh_reused': (event) => patch(event, {}),
  'grant.access_token_revoked': (event) => patch(event, {}),
  'client.grants_revoked': (event) => cutOff(event, 'client'),
  'account.grants_revoked': (event) => cutOff(event, 'account'),
  'platform.grants_revoked': (event) => cutOff(event, 'platform'),
  ...sameAnswer('ignored', 'platform', 'configured', 'suspended', 'resumed'),
  ...sameAnswer('ignored', 'account', 'registered', 'password_set', 'roles_assigned', 'mfa_enrolled', 'mfa_removed', 'contexts_set'),
  ...sameAnswer('ignored', 'account', 'recovery_codes_set', 'recovery_code_used', 'subject_linked', 'disabled', 'enabled'),
  // The list holds no personal data; the account's id stays a pseudonym, as it does in the log.
  'account.erased': 'ignored',
  ...sameAnswer('ignored', 'sign_in', 'succeeded', 'failed', 'ended'),
  ...sameAnswer('ignored', 'client', 'registered', 'updated', 'approved', 'rejected', 'resubmitted', 'change_proposed', 'used'),
  ...sameAnswer('ignored', 'client', 'change_withdrawn', 'change_rejected', 'secret_rotated', 'disabled', 'enabled', 'deleted'),
  ...sameAnswer('ignored', 'name', 'claimed', 'released'),
  ...sameAnswer('ignored', 'session', 'started', 'webhook_registered', 'linked', 'redeemed', 'denied', 'expired', 'revoked'),
  ...sameAnswer('ignored', 'webhook_endpoint', 'registered', 'verified', 'updated', 'secret_rotated', 'disabled', 'enabled', 'deleted'),
  ...sameAnswer('ignored', 'webhook_endpoint', 'bearer_rotated', 'headers_set', 'context_set', 'tested', 'failing'),
  ...sameAnswer('ignored', 'webhook_endpoint', 'recovery_requested', 'recovery_cancelled'),
  ...sameAnswer('ignored', 'webhook_endpoint', 'paused', 'resumed', 'subject_removed', 'subject_added'),
  ...sameAnswer('ignored', 'signing_key', 'created', 'activated', 'retired'),
  ...sameAnswer('ignored', 'audit', 'read', 'archived'),
};
