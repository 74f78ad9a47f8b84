import type { Command } from '../command.ts';
import { accountCommand } from './account.ts';
import { archiveCommand } from './archive/archive-command.ts';
import { archivedCommand } from './archive/archived-command.ts';
import { clientCommand } from './client.ts';
import { countCommand } from './count.ts';
import { eventsCommand } from './events.ts';
import { exportCommand } from './export.ts';
import { grantCommand } from './grant.ts';
import { grantsCommand } from './grants.ts';
import { lineageCommand } from './lineage.ts';
import { receiptCommand } from './receipt.ts';
import { tokenCommand } from './token.ts';
import { treeCommand } from './tree.ts';

/** What the audit trail is asked over HTTP, and what becomes of its old months; each with a help of its own. */
export const auditSubcommands: readonly Command[] = [
  eventsCommand,
  countCommand,
  exportCommand,
  grantCommand,
  clientCommand,
  accountCommand,
  grantsCommand,
  tokenCommand,
  lineageCommand,
  receiptCommand,
  treeCommand,
  archiveCommand,
  archivedCommand,
];
