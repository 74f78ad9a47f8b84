import type { SessionEvent } from '@grantlog/domain';
import type { RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import type { PendingSession } from '@grantlog/postgres';

/** Which sessions a batch of events began and which it settled: redeemed or ended, so that nothing is left to run out. */
export const sessionChanges = (
  events: readonly RecordedEvent[],
): { readonly begun: readonly PendingSession[]; readonly settled: readonly StreamId[] } => {
  const begun: PendingSession[] = [];
  const settled: StreamId[] = [];
  for (const event of events.filter(({ type }) => type.startsWith('session.')) as readonly RecordedEvent<SessionEvent>[]) {
    switch (event.type) {
      case 'session.started':
        begun.push({ sessionId: event.streamId, expiresAt: event.data.expiresAt * 1000 });
        break;
      case 'session.redeemed':
      case 'session.denied':
      case 'session.expired':
      case 'session.revoked':
        settled.push(event.streamId);
        break;
      case 'session.linked':
      case 'session.webhook_registered':
        break;
    }
  }
  return { begun, settled };
};
