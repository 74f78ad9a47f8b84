import type { AccountGate } from '../access/account-gate.ts';
import type { Deps } from '../deps.ts';

export type AccountDeps = Deps & { readonly gate: AccountGate };
