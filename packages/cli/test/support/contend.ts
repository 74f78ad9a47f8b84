import { appendFile } from 'node:fs/promises';
import { lock } from '../../src/processes/lock.ts';

const [, , path, journal, rounds] = process.argv;
if (path === undefined || journal === undefined) throw new Error('usage: contend.ts <lock> <journal> <rounds>');
for (let round = 0; round < Number(rounds); round += 1) {
  const held = await lock({ path, waitMs: 30_000 });
  await appendFile(journal, `enter ${process.pid}\n`);
  await new Promise((resolve) => setTimeout(resolve, 2));
  await appendFile(journal, `leave ${process.pid}\n`);
  if (round === 1 && process.argv[5] === 'die') process.kill(process.pid, 'SIGKILL');
  await held.release();
}
