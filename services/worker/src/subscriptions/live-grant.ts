import type { GrantEvent, Issue } from '@grantlog/domain';
import type { RecordedEvent } from '@grantlog/eventsourcing';
import type { LiveGrant } from '@grantlog/postgres';

const endOf = (issue: Issue): number => Math.max(issue.accessExpiresAt, issue.refreshExpiresAt ?? 0) * 1000;

/** What the dispatcher knows of a grant after one of its events; null before the first. */
export const grantAfter = (grant: LiveGrant | null, event: RecordedEvent<GrantEvent>): LiveGrant | null => {
  switch (event.type) {
    case 'grant.authorized':
    case 'grant.denied': {
      const { client, clientId, account, session, signIn } = event.data;
      const end =
        event.type === 'grant.denied' ? 0 : event.data.issue === null ? (event.data.code?.expiresAt ?? 0) * 1000 : endOf(event.data.issue);
      return {
        grantId: event.streamId,
        client,
        clientId,
        account,
        session,
        signIn,
        firstPosition: event.position,
        version: event.version,
        expiresAt: end,
      };
    }
    case 'grant.code_redeemed':
      return grant === null ? null : { ...grant, version: event.version, expiresAt: endOf(event.data.issue) };
    // A refresh does not move the expiry: it is looked at when it comes, and moved then. So the row's index stays as it is.
    case 'grant.refreshed':
    case 'grant.refresh_retried':
    case 'grant.refresh_reused':
    case 'grant.code_replayed':
    case 'grant.context_selected':
    case 'grant.access_token_revoked':
    case 'grant.expired':
    case 'grant.revoked':
      return grant === null ? null : { ...grant, version: event.version };
  }
};
