import { startEmbeddedPostgres } from '../../src/index.ts';

const dataRoot = process.argv[2];
if (dataRoot === undefined) throw new Error('usage: hold-postgres.ts <data root>');
const postgres = await startEmbeddedPostgres({
  dataRoot,
  lifetime: 'kept',
  settings: { fsync: 'off' },
  waitMs: Number(process.argv[3] ?? 30_000),
  onProgress: (message) => console.log(message),
}).catch((error: unknown) => {
  console.log(String(error));
  process.exit(1);
});
process.once('SIGTERM', () => void postgres.stop().then(() => process.exit(0)));
console.log(`ready ${postgres.pid}`);
setInterval(() => undefined, 60_000);
