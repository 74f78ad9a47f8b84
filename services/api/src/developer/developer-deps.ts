import type { Pool } from '@grantlog/postgres';
import type { AccountGate } from '../access/account-gate.ts';
import type { Deps } from '../deps.ts';

export type DeveloperDeps = Deps & { readonly pool: Pool; readonly gate: AccountGate };
