import { type Decider, type JsonObject, record, refuse } from '@grantlog/eventsourcing';
import type { ArchiveFile, AuditEvent, AuditQuestion } from './events.ts';
import { type AuditState, evolveAudit, noAudit } from './state.ts';

export type AuditCommand =
  | { readonly type: 'read'; readonly question: AuditQuestion; readonly about: JsonObject }
  | { readonly type: 'archive'; readonly file: ArchiveFile };

export type AuditRefusal = 'already_recorded';

/** A question to the audit trail, recorded before it is answered, or an archive of it, before anything leaves: each in a stream of its own. */
export const auditDecider: Decider<AuditState, AuditCommand, AuditEvent, AuditRefusal> = {
  initial: noAudit,
  decide: (command, state) => {
    if (state.status !== 'none') return refuse('already_recorded');
    switch (command.type) {
      case 'read':
        return record({ type: 'audit.read', data: { question: command.question, about: command.about } });
      case 'archive':
        return record({ type: 'audit.archived', data: command.file });
    }
  },
  evolve: evolveAudit,
};
