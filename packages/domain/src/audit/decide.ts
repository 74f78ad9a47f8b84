import { type Decider, type JsonObject, record, refuse } from '@grantlog/eventsourcing';
import type { AuditEvent, AuditQuestion } from './events.ts';
import { type AuditState, evolveAudit, noAudit } from './state.ts';

export type AuditCommand = { readonly type: 'read'; readonly question: AuditQuestion; readonly about: JsonObject };

export type AuditRefusal = 'already_read';

/** A question to the audit trail, recorded before it is answered: each in a stream of its own. */
export const auditDecider: Decider<AuditState, AuditCommand, AuditEvent, AuditRefusal> = {
  initial: noAudit,
  decide: ({ question, about }, state) =>
    state.status === 'none' ? record({ type: 'audit.read', data: { question, about } }) : refuse('already_read'),
  evolve: evolveAudit,
};
