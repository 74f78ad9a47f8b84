import { resolve } from 'node:path';
import { ConfigError, readServiceConfig, type ServiceConfig } from '@grantlog/runtime';
import type { Environment } from '../environment.ts';
import { Problem } from '../problem.ts';
import { checkout } from './state-directory.ts';

/** What the launcher must know of the environment; the services read the rest themselves. */
export type LauncherSettings = {
  readonly dataDirectory: string;
  /** `null`: start the embedded Postgres. */
  readonly databaseUrl: string | null;
  /** `null`: the queue lives in Postgres. */
  readonly redisUrl: string | null;
  /** As GRANTLOG_SECRET holds it: one or several, newest first. */
  readonly secret: string | null;
  readonly publicUrl: string;
  /** PUBLIC_URL is loopback. */
  readonly development: boolean;
  readonly host: string;
  readonly port: number;
  readonly apiOpsPort: number;
  readonly workerOpsPort: number;
  /** Where the example resources listen, on loopback alone, when the demonstration is seeded. */
  readonly examplesPort: number;
  /** `null` where LOG_LEVEL is not set. */
  readonly logLevel: string | null;
};

/**
 * Reads the environment as the services will, with stand-ins for what the launcher provides.
 * So a bad variable of either service is found before anything starts.
 *
 * @throws Problem that lists everything wrong at once
 */
export const parseLauncherSettings = (environment: Environment): LauncherSettings => {
  const given = (name: string): boolean => isSet(environment[name]) || isSet(environment[`${name}_FILE`]);
  const config = readAsApi({
    ...environment,
    ...(given('DATABASE_URL') ? {} : { DATABASE_URL: 'postgresql://127.0.0.1/provided-by-the-launcher' }),
    ...(given('GRANTLOG_SECRET') ? {} : { GRANTLOG_SECRET: 'a stand-in that is replaced before anything starts'.replaceAll(' ', '-') }),
    ...(given('PUBLIC_URL') ? {} : { PUBLIC_URL: `http://localhost:${validPort(environment.PORT) ?? 4000}` }),
    ...(given('DATA_DIR') ? {} : { DATA_DIR: resolve(checkout, '.grantlog') }),
  });
  const [workerOpsPort, examplesPort] = [config.opsPort + 1, config.opsPort + 2];
  if (config.port === 0 || config.opsPort === 0)
    throw new Problem('PORT and OPS_PORT cannot be 0 here.', 'choose ports, or leave them out.');
  for (const [what, port] of [
    ["worker's operations", workerOpsPort],
    ["example resources'", examplesPort],
  ] as const) {
    if (config.port !== port && port <= 65_535) continue;
    throw new Problem(
      `The ${what} port follows OPS_PORT and would be ${port}${config.port === port ? ', which is PORT' : ''}.`,
      'choose another OPS_PORT.',
    );
  }
  return {
    dataDirectory: resolve(config.dataDir),
    databaseUrl: given('DATABASE_URL') ? config.databaseUrl : null,
    redisUrl: config.redisUrl ?? null,
    secret: given('GRANTLOG_SECRET') ? config.secrets.join(',') : null,
    publicUrl: config.publicUrl,
    development: config.isDevelopment,
    host: config.host,
    port: config.port,
    apiOpsPort: config.opsPort,
    workerOpsPort,
    examplesPort,
    logLevel: given('LOG_LEVEL') ? config.logLevel : null,
  };
};

const readAsApi = (environment: Environment): ServiceConfig => {
  try {
    return readServiceConfig(environment, 'api');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new Problem(error.message, 'set these variables as each line says, or leave them out for the defaults.', { cause: error });
  }
};

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';

const validPort = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,5}$/.test(text) && Number(text) > 0 ? Number(text) : null;
