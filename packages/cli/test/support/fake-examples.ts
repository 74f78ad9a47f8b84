import { createServer } from 'node:http';

/** Keeps the launcher's rule as fake-service.ts does, and tells which variables it was given. */
const { PORT, HOST } = process.env;
const server = createServer((_, reply) => reply.end('ready')).listen(Number(PORT), HOST);
console.log(JSON.stringify({ level: 'info', msg: `given ${Object.keys(process.env).toSorted().join(' ')}` }));
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
