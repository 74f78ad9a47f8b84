import { type Environment, readServiceConfig, type ServiceConfig } from '@grantlog/runtime';

/**
 * The worker's configuration, from its environment alone.
 *
 * @throws ConfigError with all problems at once.
 */
export const readConfig = (env: Environment = process.env): ServiceConfig => readServiceConfig(env, 'worker');
