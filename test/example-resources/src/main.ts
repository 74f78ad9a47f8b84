import type { AddressInfo } from 'node:net';
import { createGuard } from '@grantlog/guard';
import { type Config, ConfigError, readConfig } from './config.ts';
import { createRecords } from './data.ts';
import { createResourceServer } from './server.ts';

const log = (level: 'info' | 'warn' | 'error', msg: string, fields: Readonly<Record<string, unknown>> = {}): void => {
  process.stdout.write(`${JSON.stringify({ level, time: new Date().toISOString(), service: 'example-resources', ...fields, msg })}\n`);
};

/** Longer than the guard waits for the authorization server. */
const drainMs = 8_000;

const run = (config: Config): void => {
  const { host, port, issuer, resource, clientId, clientSecret, presenter } = config;
  const guard = createGuard({
    issuer,
    resource,
    clientId,
    clientSecret,
    onProblem: ({ kind, message }) => log('warn', message, { problem: kind }),
  });
  const server = createResourceServer({ guard, records: createRecords(), base: resource.replace(/\/$/, ''), presenter }, (error) =>
    log('error', 'a request failed', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );

  let ending = false;
  const end = (why: string): void => {
    if (ending) return;
    ending = true;
    log('info', 'stopping', { why });
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), drainMs).unref();
  };
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGINT', () => end('SIGINT'));
  // A launcher that was killed cannot tell us; the end of its channel does.
  process.on('disconnect', () => end('the launcher is gone'));

  server.on('error', (error) => {
    process.stderr.write(`Cannot listen on ${host}:${port}: ${error.message}\n`);
    process.exit(1);
  });
  server.listen(port, host, () => {
    // It listens on TCP, so its address is not a path.
    const { port: bound } = server.address() as AddressInfo;
    log('info', 'ready', { host, port: bound, resource });
    process.send?.({ kind: 'ready', port: bound });
  });
};

try {
  run(readConfig());
} catch (error) {
  // A ConfigError names settings and fixes, a TypeError of the guard its option; neither holds a value that is secret.
  if (!(error instanceof ConfigError) && !(error instanceof TypeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
