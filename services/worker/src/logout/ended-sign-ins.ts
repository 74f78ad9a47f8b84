import type { AccountEvent, GrantlogEvent, PlatformEvent, SignInEvent } from '@grantlog/domain';
import type { RecordedEvent } from '@grantlog/eventsourcing';
import type { EndedSignIns } from '@grantlog/postgres';

type Ending = SignInEvent | AccountEvent | PlatformEvent;

const isEnding = (event: RecordedEvent): event is RecordedEvent<Ending> => /^(?:sign_in|account|platform)\./.test(event.type);

/**
 * The sign-ins that an event ends, as `signInStanding` of the domain has it; null where none.
 *
 * A suspended platform and one that begins to require a second factor are not among them: both can be taken back, and then
 * the same sign-ins stand again. Nor is a sign-in whose time is up: an app's own session has a time of its own.
 */
export const endedSignIns = (recorded: RecordedEvent): EndedSignIns | null => {
  if (!isEnding(recorded)) return null;
  const { streamId, position: before } = recorded;
  const event: Extract<GrantlogEvent, Ending> = recorded;
  switch (event.type) {
    case 'sign_in.ended':
      return { kind: 'one', signIn: streamId };
    case 'account.password_set':
    case 'account.grants_revoked':
    case 'account.erased':
      return { kind: 'of_account', account: streamId, before };
    // Enabled again, its sign-ins go on; the apps have ended their own sessions by then, and begin new ones.
    case 'account.disabled':
      return { kind: 'of_account', account: streamId, before };
    case 'account.mfa_enrolled':
      return { kind: 'of_account_without_second_factor', account: streamId, before };
    case 'platform.grants_revoked':
      return { kind: 'of_platform', before };
    case 'sign_in.succeeded':
    case 'sign_in.failed':
    case 'account.registered':
    case 'account.roles_assigned':
    case 'account.mfa_removed':
    case 'account.recovery_codes_set':
    case 'account.recovery_code_used':
    case 'account.contexts_set':
    case 'account.subject_linked':
    case 'account.enabled':
    case 'platform.configured':
    case 'platform.suspended':
    case 'platform.resumed':
      return null;
  }
};
