import { generateSigningKey, importSigningKey } from '@grantlog/crypto';
import { ConfigError } from '@grantlog/runtime';
import { verifierKeyOf, writeVerifierKey } from '@grantlog/transparency';
import { describe, expect, test } from 'vitest';
import { describeWorkerConfig, readConfig } from '../../src/config.ts';
import { destinationsOf } from '../../src/witnesses/setting.ts';

const key = importSigningKey(await generateSigningKey('EdDSA'));
const vkey = writeVerifierKey(verifierKeyOf({ name: 'witness.example/w1', key }, 'cosignature/v1'));
const logKey = writeVerifierKey(verifierKeyOf({ name: 'witness.example/w1', key }, 'ed25519'));
const other = writeVerifierKey(verifierKeyOf({ name: 'witness.example/w2', key }, 'cosignature/v1'));
const good = {
  DATABASE_URL: 'postgres://localhost/grantlog',
  PUBLIC_URL: 'https://auth.example.com',
  GRANTLOG_SECRET: 'a-secret-of-the-test-run-long-enough',
};

const read = (GRANTLOG_WITNESSES: string, more = {}) => readConfig({ ...good, GRANTLOG_WITNESSES, ...more });
const problemOf = (setting: string): string => {
  try {
    read(setting);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
  }
  return 'none';
};

describe('GRANTLOG_WITNESSES', () => {
  test('is none by itself', () => {
    expect(readConfig(good).witnesses).toEqual([]);
    expect(describeWorkerConfig(readConfig(good))).toMatchObject({ GRANTLOG_WITNESSES: 'none' });
  });

  test('names folders and cosigners, on one line or on several', () => {
    const { witnesses } = read(
      `file:/mnt/worm/, ${vkey} https://witness.example/prefix/\n\n  ${other}   https://10.0.0.7:9443 \nfile:///var/kept here`,
    );
    expect(witnesses).toMatchObject([
      { kind: 'file', id: 'file:/mnt/worm', folder: '/mnt/worm' },
      { kind: 'cosigner', id: vkey, url: 'https://witness.example/prefix', key: { name: 'witness.example/w1' } },
      { kind: 'cosigner', id: other, url: 'https://10.0.0.7:9443' },
      { kind: 'file', folder: '/var/kept here' },
    ]);
    expect(destinationsOf(witnesses)).toEqual(['witness.example:443', '10.0.0.7:9443']);
    expect(describeWorkerConfig(read(`${vkey} https://witness.example`))).toMatchObject({ GRANTLOG_WITNESSES: vkey });
  });

  test.each([
    ['file:', 'names a folder that does not begin with /'],
    ['file:kept', 'names a folder that does not begin with /'],
    ['/mnt/worm', 'is neither file: and a folder nor a verifier key and a URL'],
    [vkey, 'is neither file: and a folder nor a verifier key and a URL'],
    [`${vkey} https://a.example https://b.example`, 'is neither file: and a folder nor a verifier key and a URL'],
    [`https://witness.example ${vkey}`, 'has a verifier key that is none'],
    [`${vkey.slice(0, -2)} https://witness.example`, 'has a verifier key that is none'],
    [`${logKey} https://witness.example`, 'has the key of a log, where that of a witness is needed'],
    [`${vkey} witness.example`, 'has a URL that is none'],
    [`${vkey} http://witness.example`, 'has a URL that is not https'],
    [`${vkey} https://a:b@witness.example`, 'has a URL with more than host, port and path'],
    [`${vkey} https://witness.example/?a=1`, 'has a URL with more than host, port and path'],
    [`${vkey} http://localhost:9000`, 'has a URL that is not https, which is for development alone'],
  ])('that is %s stops the process, which says why and what to write', (entry, wrong) => {
    const message = problemOf(entry);
    expect(message).toContain(`GRANTLOG_WITNESSES has an entry (the 1.) that ${wrong}. List witnesses`);
  });

  test('names nobody twice, and no more than a note is sure to be read with', () => {
    expect(problemOf(`file:/a, ${vkey} https://a.example, ${vkey} https://b.example`)).toContain(
      'has an entry (the 3.) that is there already',
    );
    expect(problemOf(Array.from({ length: 16 }, (_, n) => `file:/${n}`).join())).toContain('has more than 15 entries');
  });

  test('may be http on loopback in development', () => {
    const development = { PUBLIC_URL: 'http://localhost:4000' };
    expect(read(`${vkey} http://localhost:9000/w`, development).witnesses).toMatchObject([{ url: 'http://localhost:9000/w' }]);
  });

  test('is told of beside every other problem', () => {
    expect(() => readConfig({ GRANTLOG_WITNESSES: 'x' })).toThrow(/DATABASE_URL is not set[\s\S]*GRANTLOG_WITNESSES has an entry/);
  });
});
