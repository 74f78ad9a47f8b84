import { createInterface } from 'node:readline';
import type { PlatformId } from '@grantlog/eventsourcing';
import { createPool, readEventsAfter, readHead } from '@grantlog/postgres';

// A process that reads along and remembers one number. It trusts the log: it looks at no gap and asks for nothing twice.
// What it has seen goes to its standard output; whoever started it holds that against the log.

export type ReaderOptions = { readonly url: string; readonly platform: PlatformId };

const { url, platform } = JSON.parse(process.argv[2] ?? '{}') as ReaderOptions;
const pool = createPool({ connectionString: url, role: 'grantlog_worker', max: 1, onError: () => {} });

let stopping = false;
createInterface({ input: process.stdin }).on('line', () => {
  stopping = true;
});

const seen: string[] = [];
let after = 0;
for (;;) {
  const last = stopping && (await readHead(pool, platform)) <= after;
  const events = await readEventsAfter(pool, { platform, after, limit: 200 });
  for (const event of events) {
    seen.push(`${event.position} ${event.streamId} ${event.version}`);
    after = event.position;
  }
  if (last && events.length === 0) break;
  if (events.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}
await pool.end();
await new Promise((resolve) => process.stdout.write(seen.join('\n'), resolve));
process.exit(0);
