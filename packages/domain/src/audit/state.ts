import type { Placed } from '@grantlog/eventsourcing';
import type { AuditEvent, AuditQuestion } from './events.ts';

export type AuditState =
  | { readonly status: 'none' }
  | { readonly status: 'read'; readonly question: AuditQuestion; readonly firstPosition: number };

export const noAudit: AuditState = { status: 'none' };

export const evolveAudit = (state: AuditState, event: Placed<AuditEvent>): AuditState =>
  state.status === 'none' ? { status: 'read', question: event.data.question, firstPosition: event.position } : state;
