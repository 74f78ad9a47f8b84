import type { Placed } from '@grantlog/eventsourcing';
import type { ArchiveFile, AuditEvent, AuditQuestion } from './events.ts';

export type AuditState =
  | { readonly status: 'none' }
  | { readonly status: 'read'; readonly question: AuditQuestion; readonly firstPosition: number }
  | { readonly status: 'archived'; readonly file: ArchiveFile; readonly firstPosition: number };

export const noAudit: AuditState = { status: 'none' };

export const evolveAudit = (state: AuditState, event: Placed<AuditEvent>): AuditState => {
  if (state.status !== 'none') return state;
  switch (event.type) {
    case 'audit.read':
      return { status: 'read', question: event.data.question, firstPosition: event.position };
    case 'audit.archived':
      return { status: 'archived', file: event.data, firstPosition: event.position };
  }
};
