import type { JsonObject, RecordedEvent } from '@grantlog/eventsourcing';
import type { GrantlogEvent } from '../aggregates.ts';
import type { Issue } from '../grant/events.ts';
import { sameAnswer } from '../same-answer.ts';

/** The type of a message whose answer of 2xx verifies its endpoint. */
export const verificationType = 'webhook_endpoint.verification';

/** The type of a message that somebody asked for to see whether it arrives. Its answer of 2xx verifies as well. */
export const testType = 'webhook_endpoint.test';

/** The type of a message to a stream of security events alone, which somebody other than its receiver has enabled. */
export const enabledType = 'webhook_endpoint.enabled';

/** Why a grant ended that was one of many. */
export type MassRevocation = 'revoked_with_client' | 'revoked_with_account' | 'revoked_with_platform';

type EventOf<Type extends GrantlogEvent['type']> = RecordedEvent<Extract<GrantlogEvent, { readonly type: Type }>>;

/** What endpoints are told of an event. */
export type Telling<Event, As extends string = string> =
  /** About one stream: the particulars are added to what every body of that kind says. Urgent ones go ahead of all others. */
  | {
      readonly about: 'grant' | 'session' | 'account' | 'sign_in' | 'client' | 'endpoint';
      readonly as: As;
      readonly urgent: boolean;
      /** To whoever hears the whole platform and nobody else: how people secure their accounts is no app's business. */
      readonly confidential?: true;
      readonly particulars: (event: Event) => JsonObject;
      /** Whether an endpoint that is a stream of security events is told of itself as well. */
      readonly toStream?: (event: Event) => boolean;
    }
  /** To the endpoint alone: its receiver shows by its answer that it wants this. */
  | {
      readonly about: 'receiver';
      readonly as: typeof verificationType | typeof testType;
      readonly isAsked: (event: Event) => boolean;
      /** Whether a stream of security events is told instead that somebody else has enabled it. */
      readonly toStream?: (event: Event) => boolean;
      /** What of the request is repeated. */
      readonly repeats?: (event: Event) => JsonObject;
    }
  /** About every grant that it ends, one by one. */
  | {
      readonly about: 'grants_of_client' | 'grants_of_account' | 'grants_of_platform';
      readonly as: 'grant.revoked';
      readonly reason: MassRevocation;
    }
  | 'untold';

const none = () => ({});

/** Whether an event of a stream of security events is not its receiver's doing: that is a client, and nobody else is one. */
const isOfAnother = ({ actor }: Pick<RecordedEvent, 'actor'>): boolean => actor.kind !== 'client';

const issued = (issue: Issue) => ({
  tokenSequence: issue.sequence,
  accessExpiresAt: issue.accessExpiresAt,
  refreshExpiresAt: issue.refreshExpiresAt,
});

/** Every event there is, and what is told of it: no token, no code, no secret, no personal data. */
export const tellings = {
  'grant.authorized': {
    about: 'grant',
    as: 'grant.authorized',
    urgent: false,
    particulars: ({ data }) => ({ flow: data.flow, scopes: data.scopes, resources: data.resources }),
  },
  'grant.code_redeemed': { about: 'grant', as: 'grant.code_redeemed', urgent: false, particulars: ({ data }) => issued(data.issue) },
  'grant.refreshed': { about: 'grant', as: 'grant.refreshed', urgent: false, particulars: ({ data }) => issued(data.issue) },
  'grant.refresh_retried': {
    about: 'grant',
    as: 'grant.refresh_retried',
    urgent: false,
    particulars: ({ data }) => ({ tokenSequence: data.sequence }),
  },
  'grant.refresh_reused': {
    about: 'grant',
    as: 'grant.refresh_reused',
    urgent: true,
    particulars: ({ data }) => ({ tokenSequence: data.sequence, currentTokenSequence: data.current }),
  },
  'grant.code_replayed': { about: 'grant', as: 'grant.code_replayed', urgent: true, particulars: none },
  'grant.access_token_revoked': {
    about: 'grant',
    as: 'grant.access_token_revoked',
    urgent: true,
    particulars: ({ data }) => ({ tokenSequence: data.sequence }),
  },
  'grant.context_selected': {
    about: 'grant',
    as: 'grant.context_selected',
    urgent: false,
    particulars: ({ data }) => ({ context: data.context }),
  },
  'grant.expired': { about: 'grant', as: 'grant.expired', urgent: false, particulars: none },
  'grant.revoked': { about: 'grant', as: 'grant.revoked', urgent: true, particulars: ({ data }) => ({ reason: data.reason }) },
  'client.grants_revoked': { about: 'grants_of_client', as: 'grant.revoked', reason: 'revoked_with_client' },
  'account.grants_revoked': { about: 'grants_of_account', as: 'grant.revoked', reason: 'revoked_with_account' },
  'platform.grants_revoked': { about: 'grants_of_platform', as: 'grant.revoked', reason: 'revoked_with_platform' },
  'account.disabled': { about: 'account', as: 'account.disabled', urgent: true, particulars: ({ data }) => ({ reason: data.reason }) },
  'account.enabled': { about: 'account', as: 'account.enabled', urgent: false, particulars: none },
  'account.erased': { about: 'account', as: 'account.erased', urgent: true, particulars: none },
  'account.password_set': { about: 'account', as: 'account.password_set', urgent: false, confidential: true, particulars: none },
  'account.mfa_enrolled': {
    about: 'account',
    as: 'account.mfa_enrolled',
    urgent: false,
    confidential: true,
    particulars: ({ data }) => ({ factor: data.factor }),
  },
  'account.mfa_removed': {
    about: 'account',
    as: 'account.mfa_removed',
    urgent: false,
    confidential: true,
    particulars: ({ data }) => ({ factor: data.factor }),
  },
  'sign_in.ended': { about: 'sign_in', as: 'sign_in.ended', urgent: true, particulars: ({ data }) => ({ reason: data.reason }) },
  'client.disabled': { about: 'client', as: 'client.disabled', urgent: true, particulars: ({ data }) => ({ reason: data.reason }) },
  'client.enabled': { about: 'client', as: 'client.enabled', urgent: false, particulars: none },
  // About the client or, where it was approved before, about a change of it that its developer has proposed.
  'client.approved': { about: 'client', as: 'client.approved', urgent: false, particulars: none },
  'client.rejected': { about: 'client', as: 'client.rejected', urgent: false, particulars: ({ data }) => ({ reason: data.reason }) },
  'client.change_rejected': {
    about: 'client',
    as: 'client.change_rejected',
    urgent: false,
    particulars: ({ data }) => ({ reason: data.reason }),
  },
  'client.deleted': { about: 'client', as: 'client.deleted', urgent: true, particulars: none },
  'webhook_endpoint.registered': { about: 'receiver', as: verificationType, isAsked: () => true },
  // Another URL is another receiver.
  'webhook_endpoint.updated': { about: 'receiver', as: verificationType, isAsked: ({ data }) => data.url !== undefined },
  'webhook_endpoint.enabled': { about: 'receiver', as: verificationType, isAsked: () => true, toStream: isOfAnother },
  'webhook_endpoint.tested': {
    about: 'receiver',
    as: testType,
    isAsked: () => true,
    repeats: ({ data: { state } }) => (state === undefined ? {} : { state }),
  },
  // To others: the endpoint itself does not answer.
  'webhook_endpoint.failing': {
    about: 'endpoint',
    as: 'webhook_endpoint.failing',
    urgent: false,
    particulars: ({ data }) => ({ failingSince: Math.floor(data.failingSince / 1000) }),
  },
  'webhook_endpoint.disabled': {
    about: 'endpoint',
    as: 'webhook_endpoint.disabled',
    urgent: false,
    particulars: ({ data }) => ({ reason: data.reason }),
    // The others are its receiver's own wish, or say that nobody is there.
    toStream: (event) => isOfAnother(event) && ['operator', 'failing'].includes(event.data.reason),
  },

  'session.linked': { about: 'session', as: 'session.linked', urgent: false, particulars: ({ data }) => ({ accountId: data.account }) },
  'session.redeemed': { about: 'session', as: 'session.redeemed', urgent: false, particulars: none },
  'session.denied': { about: 'session', as: 'session.denied', urgent: true, particulars: ({ data }) => ({ reason: data.reason }) },
  'session.expired': { about: 'session', as: 'session.expired', urgent: false, particulars: none },
  'session.revoked': { about: 'session', as: 'session.revoked', urgent: true, particulars: ({ data }) => ({ reason: data.reason }) },

  // A denial goes back with the redirect; there is no grant to hear of.
  'grant.denied': 'untold',
  ...sameAnswer('untold', 'platform', 'configured', 'suspended', 'resumed'),
  ...sameAnswer('untold', 'account', 'registered', 'roles_assigned', 'contexts_set'),
  ...sameAnswer('untold', 'account', 'recovery_codes_set', 'recovery_code_used', 'subject_linked'),
  ...sameAnswer('untold', 'sign_in', 'succeeded', 'failed'),
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
  ...sameAnswer('untold', 'webhook_endpoint', 'verified', 'secret_rotated', 'bearer_rotated', 'headers_set', 'context_set', 'deleted'),
  ...sameAnswer('untold', 'webhook_endpoint', 'recovery_requested', 'recovery_cancelled'),
  ...sameAnswer('untold', 'webhook_endpoint', 'paused', 'resumed', 'subject_removed', 'subject_added'),
  ...sameAnswer('untold', 'session', 'started', 'webhook_registered'),
  ...sameAnswer('untold', 'signing_key', 'created', 'activated', 'retired'),
  ...sameAnswer('untold', 'audit', 'read', 'archived'),
} satisfies { readonly [Type in GrantlogEvent['type']]: Telling<EventOf<Type>, Type> };

/** What is told of an event as the log holds it; nothing of a type that this process does not know. */
export const tellingOf = (event: RecordedEvent): Telling<RecordedEvent> =>
  // The key is the event's own type, so the entry found under it takes exactly such events.
  (tellings as unknown as Readonly<Record<string, Telling<RecordedEvent> | undefined>>)[event.type] ?? 'untold';
