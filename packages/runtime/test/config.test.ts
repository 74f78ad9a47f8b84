import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createAuthority } from '../../../test/support/certificates.ts';
import type { Environment } from '../src/index.ts';
import { ConfigError, describeConfig, flag, integer, oneOf, optional, readConfig, readServiceConfig, withDefault } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'grantlog-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const secret = 'a'.repeat(32);
const older = 'b'.repeat(40);
const good = {
  DATABASE_URL: 'postgres://grantlog:hush@db:5432/grantlog?password=hush2',
  PUBLIC_URL: 'https://auth.example.com/',
  GRANTLOG_SECRET: `${secret}, ${older}`,
};

const problemsOf = (env: Environment): readonly string[] => {
  try {
    readServiceConfig(env, 'api');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ setting, wrong }) => `${setting} ${wrong}`);
    throw error;
  }
  return [];
};

describe('the configuration of a service', () => {
  test('has defaults for all but three settings', () => {
    expect(readServiceConfig(good, 'api')).toEqual({
      databaseUrl: good.DATABASE_URL,
      databaseDirectUrl: undefined,
      redisUrl: undefined,
      publicUrl: 'https://auth.example.com',
      port: 4_000,
      opsPort: 4_001,
      host: '0.0.0.0',
      trustProxy: [],
      egressAllow: [],
      webhookRetrySeconds: [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
      egressCa: undefined,
      smtpUrl: undefined,
      mailFrom: 'Grantlog <no-reply@auth.example.com>',
      dataDir: '.grantlog',
      secrets: [secret, older],
      logLevel: 'info',
      isDevelopment: false,
    });
    expect(readServiceConfig(good, 'worker').opsPort).toBe(4_002);
  });

  test.each([
    ['http://localhost:4000', true, '127.0.0.1'],
    ['http://127.0.0.1:4000/', true, '127.0.0.1'],
    ['http://[::1]:4000', true, '127.0.0.1'],
    ['https://127.0.0.1.example.com', false, '0.0.0.0'],
    ['https://localhost.example.com', false, '0.0.0.0'],
  ])('%s is development: %s, listening on %s', (PUBLIC_URL, isDevelopment, host) => {
    expect(readServiceConfig({ ...good, PUBLIC_URL }, 'api')).toMatchObject({ isDevelopment, host });
    expect(readServiceConfig({ ...good, PUBLIC_URL, HOST: '10.1.1.1' }, 'api').host).toBe('10.1.1.1');
  });

  test('reports every problem at once, with a fix, and repeats no value', () => {
    const env = {
      DATABASE_URL: 'mysql://root:hush@db',
      REDIS_URL: 'hush',
      PORT: '70000',
      OPS_PORT: 'x',
      TRUST_PROXY: '10.0.0.0/8, hush',
      GRANTLOG_SECRET: 'hush',
      LOG_LEVEL: 'loud',
    };
    expect(problemsOf(env)).toEqual([
      'DATABASE_URL must begin with postgres: or postgresql:',
      'REDIS_URL is not a URL',
      'PUBLIC_URL is not set',
      'PORT is out of range',
      'OPS_PORT is not a whole number',
      'TRUST_PROXY has an entry (the 2.) that is no address or CIDR range',
      'GRANTLOG_SECRET holds a secret shorter than 32 characters',
      'LOG_LEVEL has an unknown value',
    ]);
    try {
      readServiceConfig(env, 'api');
    } catch (error) {
      expect(String(error)).not.toContain('hush');
      expect(String(error)).toContain('The configuration has 8 problems:');
      expect(String(error)).toContain('LOG_LEVEL has an unknown value. Set it to one of fatal, error');
    }
  });

  test.each([
    ['auth.example.com', 'is not a URL'],
    ['ftp://auth.example.com', 'must begin with https:// or http://'],
    ['http://auth.example.com', 'must use https unless its host is loopback'],
    ['https://auth.example.com/base', 'must be an origin, without path, query or fragment'],
    ['https://auth.example.com/?', 'must be an origin, without path, query or fragment'],
    ['https://auth.example.com#', 'must be an origin, without path, query or fragment'],
    ['https://u:p@auth.example.com', 'must not contain a user name or password'],
  ])('refuses the public URL %s', (PUBLIC_URL, wrong) => {
    expect(problemsOf({ ...good, PUBLIC_URL })).toEqual([`PUBLIC_URL ${wrong}`]);
  });

  test.each([
    ['a@b.example', true],
    ['Example Mail <no-reply@b.example>', true],
    ['no-reply@[127.0.0.1]', true],
    ['b.example', false],
    ['a@b.example, c@d.example', false],
    ['A <a@b.example> <c@d.example>', false],
    ['A <a@b.example>\r\nBcc: c@d.example', false],
    ['A\nBcc: c@d.example <a@b.example>', false],
    ['<a@b.example>', false],
    ['ä@b.example', false],
  ])('takes the sender %j: %s', (MAIL_FROM, taken) => {
    expect(problemsOf({ ...good, MAIL_FROM })).toEqual(taken ? [] : ['MAIL_FROM is not one mail address']);
  });

  test.each(['1.2.3.4/33', '1.2.3/8', '::1/129', 'a', '1.2.3.4/', '1.2.3.4/8/8'])('refuses to trust %s', (TRUST_PROXY) => {
    expect(problemsOf({ ...good, TRUST_PROXY })).toHaveLength(1);
  });

  test('reads lists of addresses, and empty variables as absent', () => {
    expect(readServiceConfig({ ...good, TRUST_PROXY: '10.0.0.0/8 ,::1\n192.168.0.1', REDIS_URL: '' }, 'api')).toMatchObject({
      trustProxy: ['10.0.0.0/8', '::1', '192.168.0.1'],
      redisUrl: undefined,
    });
  });

  test('tells when both ports are the same, but not where the system chooses both', () => {
    expect(problemsOf({ ...good, PORT: '5000', OPS_PORT: '5000' })).toEqual(['OPS_PORT is 5000, the same as PORT']);
    expect(problemsOf({ ...good, PORT: '0', OPS_PORT: '0' })).toEqual([]);
  });

  test('reads any setting from a file', () => {
    const { GRANTLOG_SECRET, ...rest } = good;
    const env = { ...rest, GRANTLOG_SECRET_FILE: file('secret', `${secret}\n${older}\n`), SMTP_URL_FILE: file('smtp', 'smtp://mail:25\n') };
    expect(readServiceConfig(env, 'api')).toMatchObject({ secrets: [secret, older], smtpUrl: 'smtp://mail:25' });
    expect(problemsOf({ ...env, GRANTLOG_SECRET })).toEqual(['GRANTLOG_SECRET is set, and GRANTLOG_SECRET_FILE is set too']);
    expect(problemsOf({ ...env, GRANTLOG_SECRET_FILE: join(folder, 'none') })[0]).toContain('ENOENT');
    expect(problemsOf({ ...env, GRANTLOG_SECRET_FILE: file('empty', '\n') })[0]).toContain('names an empty file');
  });

  test('reports a file that cannot be read beside the other problems', () => {
    const env = { ...good, SMTP_URL_FILE: join(folder, 'none'), DATA_DIR_FILE: join(folder, 'none'), PORT: 'x' };
    expect(problemsOf(env).map((problem) => problem.split(' ')[0])).toEqual(['PORT', 'SMTP_URL_FILE', 'DATA_DIR_FILE']);
  });

  test.each([
    'clients.internal',
    'clients.internal:0',
    'clients.internal:70000',
    'https://clients.internal:443',
    '*.internal:443',
    'Clients.internal:443',
    '0x7f.1:443',
    '10.0.0.0/8:443',
    'clients.internal:443/path',
  ])('refuses to open %s to URLs of strangers', (EGRESS_ALLOW) => {
    expect(problemsOf({ ...good, EGRESS_ALLOW })).toEqual([
      'EGRESS_ALLOW has an entry (the 1.) that is no host with its port, in lower case',
    ]);
  });

  test('opens exact destinations, and takes an authority for them from a file', () => {
    const { pem } = createAuthority();
    const env = { ...good, EGRESS_ALLOW: 'clients.internal:443, 10.0.0.7:8443 [fd00::7]:443', EGRESS_CA_FILE: file('ca', pem) };
    const config = readServiceConfig(env, 'api');
    expect(config).toMatchObject({ egressAllow: ['clients.internal:443', '10.0.0.7:8443', '[fd00::7]:443'], egressCa: pem.trim() });
    expect(describeConfig(config)).toMatchObject({ EGRESS_ALLOW: config.egressAllow.join(', '), EGRESS_CA: 'set' });
  });

  test('takes the waits between attempts at a webhook in seconds, and names the one that is none', () => {
    expect(readServiceConfig({ ...good, WEBHOOK_RETRY_SECONDS: '1, 60' }, 'worker').webhookRetrySeconds).toEqual([1, 60]);
    expect(problemsOf({ ...good, WEBHOOK_RETRY_SECONDS: '5, soon' })).toEqual([
      'WEBHOOK_RETRY_SECONDS has an entry (the 2.) that is not from 1 to 604800',
    ]);
  });

  test('takes nothing but certificates for authorities', () => {
    const authority = createAuthority();
    const { key } = authority.issue(['clients.internal']);
    const broken = authority.pem.replace(/\n.{8}/, '\nAAAAAAAA');
    expect(problemsOf({ ...good, EGRESS_CA: 'no certificate' })).toEqual(['EGRESS_CA is not PEM of certificates alone']);
    expect(problemsOf({ ...good, EGRESS_CA: `${authority.pem}${key}` })).toEqual(['EGRESS_CA is not PEM of certificates alone']);
    expect(problemsOf({ ...good, EGRESS_CA: `${authority.pem}${broken}` })).toEqual(['EGRESS_CA holds a certificate that cannot be read']);
  });

  test('refuses the same secret twice', () => {
    expect(problemsOf({ ...good, GRANTLOG_SECRET: `${secret} ${secret}` })).toEqual(['GRANTLOG_SECRET holds the same secret twice']);
  });

  test('can be shown without its secrets', () => {
    const shown = describeConfig(readServiceConfig({ ...good, REDIS_URL: 'redis://:hush@cache:6379' }, 'api'));
    expect(JSON.stringify(shown)).not.toContain('hush');
    expect(JSON.stringify(shown)).not.toContain(secret);
    expect(shown).toMatchObject({
      DATABASE_URL: 'postgres://grantlog:redacted@db:5432/grantlog',
      REDIS_URL: 'redis://:redacted@cache:6379',
      SMTP_URL: 'not set',
      GRANTLOG_SECRET: 'set (2, newest first)',
    });
  });
});

test('settings can be combined freely', () => {
  const spec = {
    verbose: withDefault(flag('VERBOSE'), false),
    count: integer('COUNT', { min: -1, max: 3 }),
    colour: optional(oneOf('COLOUR', ['red', 'blue'])),
  };
  expect(readConfig({ COUNT: '-1', VERBOSE: '1' }, spec)).toEqual({ verbose: true, count: -1, colour: undefined });
  expect(() => readConfig({ COUNT: '1.5', VERBOSE: 'yes', COLOUR: 'green' }, spec)).toThrow('The configuration has 3 problems');
});
