import { type GrantlogEvent, type Issue, sameAnswer } from '@grantlog/domain';
import type { JsonObject, RecordedEvent } from '@grantlog/eventsourcing';
import { firstLane, type Lane, revocationLane } from '@grantlog/postgres';

/** Raise it with any change to a body; each delivery says which renderer made its own. */
export const rendererVersion = 1;

/** The type of a delivery whose answer of 2xx verifies its endpoint. */
export const verification = 'webhook_endpoint.verification';

/** Messages about a grant that tell how it went on, and are stale once it has ended. */
const courseOfGrant = ['grant.authorized', 'grant.code_redeemed', 'grant.refreshed', 'grant.refresh_retried', 'grant.context_selected'];
const stale: Readonly<Record<string, readonly string[]>> = {
  'grant.refreshed': ['grant.refreshed', 'grant.refresh_retried'],
  'grant.context_selected': ['grant.context_selected'],
  'grant.revoked': courseOfGrant,
  'grant.expired': courseOfGrant,
};
/** Types whose earlier messages about the same subject say nothing any more once a message of this type was told. */
export const staleAfter = (type: string): readonly string[] => stale[type] ?? [];

type EventOf<Type extends GrantlogEvent['type']> = RecordedEvent<Extract<GrantlogEvent, { readonly type: Type }>>;

/** What endpoints are told of an event. */
export type Telling<Event> =
  /** About one stream: the particulars are added to what every body of that kind says. */
  | {
      readonly about: 'grant' | 'session' | 'account' | 'client';
      readonly as: string;
      readonly lane: Lane;
      readonly particulars: (event: Event) => JsonObject;
    }
  /** To the endpoint alone, where it belongs to a session: its receiver shows by its answer that it wants this. */
  | { readonly about: 'receiver'; readonly as: typeof verification; readonly isAsked: (event: Event) => boolean }
  /** About every grant that it ends, one by one. */
  | {
      readonly about: 'grants_of_client' | 'grants_of_account' | 'grants_of_platform';
      readonly as: 'grant.revoked';
      readonly reason: string;
    }
  | 'untold';

const none = (): JsonObject => ({});

const issued = (issue: Issue): JsonObject => ({
  tokenSequence: issue.sequence,
  accessExpiresAt: issue.accessExpiresAt,
  refreshExpiresAt: issue.refreshExpiresAt,
});

/** Every event there is, and what is told of it: no token, no code, no secret, no personal data. */
const tellings: { readonly [Type in GrantlogEvent['type']]: Telling<EventOf<Type>> } = {
  'grant.authorized': {
    about: 'grant',
    as: 'grant.authorized',
    lane: firstLane,
    particulars: ({ data }) => ({ flow: data.flow, scopes: data.scopes, resources: data.resources }),
  },
  'grant.code_redeemed': { about: 'grant', as: 'grant.code_redeemed', lane: firstLane, particulars: ({ data }) => issued(data.issue) },
  'grant.refreshed': { about: 'grant', as: 'grant.refreshed', lane: firstLane, particulars: ({ data }) => issued(data.issue) },
  'grant.refresh_retried': {
    about: 'grant',
    as: 'grant.refresh_retried',
    lane: firstLane,
    particulars: ({ data }) => ({ tokenSequence: data.sequence }),
  },
  'grant.refresh_reused': {
    about: 'grant',
    as: 'grant.refresh_reused',
    lane: revocationLane,
    particulars: ({ data }) => ({ tokenSequence: data.sequence, currentTokenSequence: data.current }),
  },
  'grant.code_replayed': { about: 'grant', as: 'grant.code_replayed', lane: revocationLane, particulars: none },
  'grant.access_token_revoked': {
    about: 'grant',
    as: 'grant.access_token_revoked',
    lane: revocationLane,
    particulars: ({ data }) => ({ tokenSequence: data.sequence }),
  },
  'grant.context_selected': {
    about: 'grant',
    as: 'grant.context_selected',
    lane: firstLane,
    particulars: ({ data }) => ({ context: data.context }),
  },
  'grant.expired': { about: 'grant', as: 'grant.expired', lane: firstLane, particulars: none },
  'grant.revoked': { about: 'grant', as: 'grant.revoked', lane: revocationLane, particulars: ({ data }) => ({ reason: data.reason }) },
  'client.grants_revoked': { about: 'grants_of_client', as: 'grant.revoked', reason: 'revoked_with_client' },
  'account.grants_revoked': { about: 'grants_of_account', as: 'grant.revoked', reason: 'revoked_with_account' },
  'platform.grants_revoked': { about: 'grants_of_platform', as: 'grant.revoked', reason: 'revoked_with_platform' },
  'account.disabled': {
    about: 'account',
    as: 'account.disabled',
    lane: revocationLane,
    particulars: ({ data }) => ({ reason: data.reason }),
  },
  'account.enabled': { about: 'account', as: 'account.enabled', lane: firstLane, particulars: none },
  'account.erased': { about: 'account', as: 'account.erased', lane: revocationLane, particulars: none },
  'client.disabled': { about: 'client', as: 'client.disabled', lane: revocationLane, particulars: ({ data }) => ({ reason: data.reason }) },
  'client.enabled': { about: 'client', as: 'client.enabled', lane: firstLane, particulars: none },
  // About the client or, where it was approved before, about a change of it that its developer has proposed.
  'client.approved': { about: 'client', as: 'client.approved', lane: firstLane, particulars: none },
  'client.rejected': { about: 'client', as: 'client.rejected', lane: firstLane, particulars: ({ data }) => ({ reason: data.reason }) },
  'client.change_rejected': {
    about: 'client',
    as: 'client.change_rejected',
    lane: firstLane,
    particulars: ({ data }) => ({ reason: data.reason }),
  },
  'client.deleted': { about: 'client', as: 'client.deleted', lane: revocationLane, particulars: none },
  'webhook_endpoint.registered': { about: 'receiver', as: verification, isAsked: () => true },
  // Another URL is another receiver.
  'webhook_endpoint.updated': { about: 'receiver', as: verification, isAsked: ({ data }) => data.url !== undefined },
  'webhook_endpoint.enabled': { about: 'receiver', as: verification, isAsked: () => true },

  'session.linked': { about: 'session', as: 'session.linked', lane: firstLane, particulars: ({ data }) => ({ accountId: data.account }) },
  'session.redeemed': { about: 'session', as: 'session.redeemed', lane: firstLane, particulars: none },
  'session.denied': { about: 'session', as: 'session.denied', lane: revocationLane, particulars: ({ data }) => ({ reason: data.reason }) },
  'session.expired': { about: 'session', as: 'session.expired', lane: firstLane, particulars: none },
  'session.revoked': {
    about: 'session',
    as: 'session.revoked',
    lane: revocationLane,
    particulars: ({ data }) => ({ reason: data.reason }),
  },

  // A denial goes back with the redirect; there is no grant to hear of.
  'grant.denied': 'untold',
  ...sameAnswer('untold', 'platform', 'configured', 'suspended', 'resumed'),
  ...sameAnswer('untold', 'account', 'registered', 'password_set', 'roles_assigned', 'mfa_enrolled', 'mfa_removed', 'contexts_set'),
  ...sameAnswer('untold', 'account', 'recovery_codes_set', 'recovery_code_used', 'subject_linked'),
  ...sameAnswer('untold', 'sign_in', 'succeeded', 'failed', 'ended'),
  ...sameAnswer(
    'untold',
    'client',
    'registered',
    'updated',
    'resubmitted',
    'change_proposed',
    'change_withdrawn',
    'secret_rotated',
    'used',
  ),
  ...sameAnswer('untold', 'name', 'claimed', 'released'),
  ...sameAnswer(
    'untold',
    'webhook_endpoint',
    'verified',
    'tested',
    'failing',
    'secret_rotated',
    'bearer_rotated',
    'context_set',
    'disabled',
    'deleted',
  ),
  ...sameAnswer('untold', 'session', 'started', 'webhook_registered'),
  ...sameAnswer('untold', 'signing_key', 'created', 'activated', 'retired'),
};

/** What is told of an event as the log holds it; nothing of a type that this process does not know. */
export const tellingOf = (event: RecordedEvent): Telling<RecordedEvent> =>
  // The key is the event's own type, so the entry found under it takes exactly such events.
  (tellings as unknown as Readonly<Record<string, Telling<RecordedEvent> | undefined>>)[event.type] ?? 'untold';
