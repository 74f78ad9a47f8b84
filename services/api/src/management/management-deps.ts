import type { Pool } from '@grantlog/postgres';
import type { Deps } from '../deps.ts';
import type { OperatorGate } from './gate.ts';

export type ManagementDeps = Deps & { readonly pool: Pool; readonly gate: OperatorGate };
