import type { AddressInfo } from 'node:net';
import { createGuard, type Guard } from '@grantlog/guard';
import { answerAlong } from './along/answer-along.ts';
import { createSafes } from './along/safes.ts';
import { answerArlo } from './arlo/answer-arlo.ts';
import { createRecords } from './arlo/data.ts';
import { type Config, ConfigError, readConfig, type ServerConfig } from './config.ts';
import { createResourceServer, type Handler } from './server.ts';

const log = (level: 'info' | 'warn' | 'error', msg: string, fields: Readonly<Record<string, unknown>> = {}): void => {
  process.stdout.write(`${JSON.stringify({ level, time: new Date().toISOString(), service: 'example-resources', ...fields, msg })}\n`);
};

/** Longer than the guard waits for the authorization server. */
const drainMs = 8_000;

const onDefect = (error: unknown): void =>
  log('error', 'a request failed', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });

const guardOf = ({ issuer, resource, clientId, clientSecret }: ServerConfig): Guard =>
  createGuard({ issuer, resource, clientId, clientSecret, onProblem: ({ kind, message }) => log('warn', message, { problem: kind }) });

const withoutSlash = (url: string): string => url.replace(/\/$/, '');

const handlersOf = ({ arlo, along }: Config): ReadonlyMap<string, Handler> => {
  const handlers = new Map<string, Handler>();
  if (arlo !== null) {
    const { resource, presenter } = arlo;
    handlers.set('arlo', answerArlo({ guard: guardOf(arlo), records: createRecords(), base: withoutSlash(resource), presenter }, onDefect));
  }
  if (along !== null) {
    const { resource, preview } = along;
    handlers.set('along', answerAlong({ guard: guardOf(along), safes: createSafes(), base: withoutSlash(resource), preview }, onDefect));
  }
  return handlers;
};

const run = (config: Config): void => {
  const { host, port } = config;
  const server = createResourceServer(handlersOf(config));

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
    const resources = [config.arlo, config.along].flatMap((each) => (each === null ? [] : [each.resource]));
    log('info', 'ready', { host, port: bound, resources });
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
