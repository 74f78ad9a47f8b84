import type { Command } from './command.ts';
import { auditCommand } from './commands/audit.ts';
import { benchCommand } from './commands/bench.ts';
import { demoCommand } from './commands/demo.ts';
import { helpOn } from './commands/help.ts';
import { migrateCommand } from './commands/migrate.ts';
import { operatorCommand } from './commands/operator.ts';
import { projectionsCommand } from './commands/projections.ts';
import { resetCommand } from './commands/reset.ts';
import { startCommand } from './commands/start.ts';

const working: readonly Command[] = [
  startCommand,
  demoCommand,
  auditCommand,
  benchCommand,
  operatorCommand,
  projectionsCommand,
  resetCommand,
  migrateCommand,
];

/** Every subcommand, in the order in which `help` lists them. */
export const commands: readonly Command[] = [...working, helpOn(working)];
