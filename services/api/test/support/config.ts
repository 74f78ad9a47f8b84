import type { ServiceConfig } from '@grantlog/runtime';

/** The configuration of an API in a test's own process: development on this machine, nothing sent anywhere, unless `change` says otherwise. */
export const testConfig = (databaseUrl: string, change: Partial<ServiceConfig> = {}): ServiceConfig => ({
  databaseUrl,
  databaseDirectUrl: undefined,
  redisUrl: undefined,
  publicUrl: 'http://localhost:4000',
  port: 0,
  opsPort: 0,
  host: '127.0.0.1',
  trustProxy: [],
  egressAllow: [],
  webhookRetrySeconds: [5],
  egressCa: undefined,
  smtpUrl: undefined,
  mailFrom: 'Grantlog <no-reply@localhost>',
  dataDir: '/nowhere',
  secrets: ['a-secret-of-the-test-run-long-enough'],
  logLevel: 'debug',
  isDevelopment: true,
  ...change,
});
