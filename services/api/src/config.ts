import type { ServiceConfig } from '@grantlog/runtime';
import { readServiceConfig } from '@grantlog/runtime';

/** The one place of this service that reads the environment. @throws ConfigError */
export const readConfigOfApi = (): ServiceConfig => readServiceConfig(process.env, 'api');
