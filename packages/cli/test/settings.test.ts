import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findSecret } from '../src/launcher/secret.ts';
import { planServices } from '../src/launcher/service-plans.ts';
import { parseLauncherSettings } from '../src/launcher/settings.ts';
import { temporaryFolder } from './support/temporary.ts';

describe('the launcher’s settings', () => {
  test('need nothing', () => {
    expect(parseLauncherSettings({})).toMatchObject({
      databaseUrl: null,
      redisUrl: null,
      secret: null,
      publicUrl: 'http://localhost:4000',
      development: true,
      host: '127.0.0.1',
      port: 4000,
      apiOpsPort: 4001,
      workerOpsPort: 4002,
      examplesPort: 4003,
      logLevel: null,
    });
  });

  test('let the public URL follow the port', () => {
    expect(parseLauncherSettings({ PORT: '5000', OPS_PORT: '' }).publicUrl).toBe('http://localhost:5000');
  });

  test('are refused with every problem at once', () => {
    const wrong = {
      PORT: 'http',
      OPS_PORT: '99999',
      PUBLIC_URL: 'http://example.com',
      REDIS_URL: 'localhost',
      DATABASE_URL_FILE: '/nowhere/at/all',
    };
    for (const name of Object.keys(wrong)) expect(() => parseLauncherSettings(wrong)).toThrow(name);
  });

  test('are refused where two servers would share a port', () => {
    expect(() => parseLauncherSettings({ PORT: '4001' })).toThrow('OPS_PORT');
    expect(() => parseLauncherSettings({ PORT: '4002' })).toThrow('OPS_PORT');
    expect(() => parseLauncherSettings({ PORT: '4003' })).toThrow(/example resources.*OPS_PORT/);
    expect(() => parseLauncherSettings({ OPS_PORT: '65534' })).toThrow(/65536/);
  });

  test('reach both services, each with its own operations port and no variable twice', () => {
    const environment = {
      DATABASE_URL_FILE: '/run/database',
      GRANTLOG_SECRET_FILE: '/run/secret',
      REDIS_URL_FILE: '/run/redis',
      LANG: 'C',
    };
    const plans = planServices({
      settings: parseLauncherSettings({}),
      parts: { migrate: async () => undefined, seed: null, apiScript: 'api.ts', workerScript: 'worker.ts', examplesScript: 'examples.ts' },
      environment,
      databaseUrl: 'postgresql://database',
      secret: 'secret',
      dataDirectory: '/data',
    });
    expect(plans.map((plan) => plan.environment.OPS_PORT)).toEqual(['4001', '4002']);
    for (const plan of plans) {
      expect(plan.environment).toMatchObject({
        DATABASE_URL: 'postgresql://database',
        GRANTLOG_SECRET: 'secret',
        REDIS_URL_FILE: '/run/redis',
        LANG: 'C',
      });
      expect(Object.keys(plan.environment)).not.toContain('DATABASE_URL_FILE');
      expect(Object.keys(plan.environment)).not.toContain('GRANTLOG_SECRET_FILE');
    }
  });
});

describe('the secret', () => {
  test('is made once in development and kept', async () => {
    const path = join(await temporaryFolder(), 'secret');
    const first = await findSecret({ given: null, path, embedded: false, development: true });
    expect(Buffer.from(first, 'base64url')).toHaveLength(32);
    expect(await findSecret({ given: null, path, embedded: true, development: true })).toBe(first);
    expect(await findSecret({ given: 'given', path, embedded: true, development: true })).toBe('given');
  });

  test('must be given for a database of one’s own behind a public URL', async () => {
    const path = join(await temporaryFolder(), 'secret');
    await expect(findSecret({ given: null, path, embedded: false, development: false })).rejects.toThrow('GRANTLOG_SECRET');
  });
});
