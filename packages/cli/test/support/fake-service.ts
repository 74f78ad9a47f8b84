import { createServer } from 'node:http';

/** Keeps the launcher's rule for services: ends on SIGTERM, SIGINT and when its channel to the launcher closes. */
const { OPS_PORT, HOST, DATABASE_URL, FAKE_DIES } = process.env;
const server = createServer((_, reply) => reply.end('ready')).listen(Number(OPS_PORT), HOST);
console.log(JSON.stringify({ level: 'info', msg: 'an ordinary line' }));
console.log(JSON.stringify({ level: 'warn', msg: `a warning from ${OPS_PORT}`, err: { message: 'its cause' } }));
const end = (): void => {
  server.close();
  server.closeAllConnections();
  process.exit(0);
};
process.on('SIGTERM', () => {
  console.log('told to end');
  end();
});
process.on('SIGINT', end);
process.on('disconnect', end);
if (DATABASE_URL === undefined) throw new Error('no DATABASE_URL');
if (FAKE_DIES === OPS_PORT) {
  setTimeout(() => {
    console.log('the last words of a service');
    process.exit(3);
  }, 1_500);
}
