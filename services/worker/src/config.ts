import { ConfigError, describeConfig, type Environment, readServiceConfig, type ServiceConfig } from '@grantlog/runtime';
import { witnessList } from './witnesses/setting.ts';
import type { Witness } from './witnesses/witness.ts';

export type WorkerConfig = ServiceConfig & { readonly witnesses: readonly Witness[] };

/**
 * The worker's configuration, from its environment alone.
 *
 * @throws ConfigError with all problems at once.
 */
export const readConfig = (env: Environment = process.env): WorkerConfig => {
  const config = readServiceConfig(env, 'worker', { witnesses: witnessList });
  const plain = config.witnesses.findIndex((witness) => witness.kind === 'cosigner' && witness.url.startsWith('http:'));
  if (plain >= 0 && !config.isDevelopment) {
    const wrong = `has an entry (the ${plain + 1}.) that has a URL that is not https, which is for development alone`;
    throw new ConfigError([{ setting: witnessList.name, wrong, fix: witnessList.fix }]);
  }
  return config;
};

/** The effective settings by their names, fit for a log. */
export const describeWorkerConfig = (config: WorkerConfig): Readonly<Record<string, string>> => ({
  ...describeConfig(config),
  [witnessList.name]: config.witnesses.length === 0 ? 'none' : config.witnesses.map(({ id }) => id).join(', '),
});
