import type { Pool } from '@grantlog/postgres';
import type { Deps } from '../deps.ts';
import type { OperatorGate } from '../management/gate.ts';

/** What the audit trail is asked with; its gate takes tokens with the scope `audit`. */
export type AuditDeps = Deps & { readonly pool: Pool; readonly gate: OperatorGate };
