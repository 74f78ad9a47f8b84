import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { Parsed, Setting } from './config.ts';

const value = <T>(found: T): Parsed<T> => ({ kind: 'value', value: found });
const wrong = (why: string): Parsed<never> => ({ kind: 'wrong', wrong: why });

const required = <T>(name: string, fix: string, parse: (text: string) => Parsed<T>): Setting<T> => ({
  name,
  fix,
  parse,
  absent: { kind: 'required' },
});

/** The same setting, undefined where it is not set. */
export const optional = <T>(setting: Setting<T>): Setting<T | undefined> => ({ ...setting, absent: { kind: 'value', value: undefined } });

/** The same setting with a value for where it is not set. */
export const withDefault = <T>(setting: Setting<T>, fallback: T): Setting<T> => ({
  ...setting,
  absent: { kind: 'value', value: fallback },
});

/** Any text. */
export const text = (name: string, fix: string): Setting<string> => required(name, fix, value);

/** An absolute URL of one of the protocols (`postgres:`), as it was written. */
export const url = (name: string, options: { readonly protocols: readonly string[]; readonly example: string }): Setting<string> =>
  required(name, `Set it to something like ${options.example}`, (given) => {
    if (!URL.canParse(given)) return wrong('is not a URL');
    return options.protocols.includes(new URL(given).protocol) ? value(given) : wrong(`must begin with ${options.protocols.join(' or ')}`);
  });

/** A whole number between two bounds, both included. */
export const integer = (name: string, range: { readonly min: number; readonly max: number }): Setting<number> =>
  required(name, `Set it to a whole number from ${range.min} to ${range.max}`, (given) => {
    if (!/^-?[0-9]{1,15}$/.test(given)) return wrong('is not a whole number');
    const number = Number(given);
    return number >= range.min && number <= range.max ? value(number) : wrong('is out of range');
  });

/** A TCP port; 0 lets the system choose one. */
export const port = (name: string): Setting<number> => integer(name, { min: 0, max: 65_535 });

/** `true` or `false`, also as 1 or 0. */
export const flag = (name: string): Setting<boolean> =>
  required(name, 'Set it to true or false', (given) => {
    if (given === 'true' || given === '1') return value(true);
    return given === 'false' || given === '0' ? value(false) : wrong('is neither true nor false');
  });

/** One of several words. */
export const oneOf = <const Word extends string>(name: string, words: readonly Word[]): Setting<Word> =>
  required(name, `Set it to one of ${words.join(', ')}`, (given) => {
    const found = words.find((word) => word === given);
    return found === undefined ? wrong('has an unknown value') : value(found);
  });

const isAddressOrRange = (given: string): boolean => {
  const [address = '', bits, ...rest] = given.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
};

const mailAddress = /^[\w!#$%&'*+/=?^`{|}~.-]{1,64}@[A-Za-z0-9.:[\]-]{1,190}$/;
const namedMailbox = /^[\w !#$%&'*+/=?^`{|}~.-]{1,100} <([^<>]+)>$/;

/** One mailbox as it stands in `From`: an address, or `Name <address>`; in ASCII, for not every mail server knows more (RFC 6531). */
export const mailbox = (name: string): Setting<string> =>
  required(name, 'Set it to an address such as no-reply@example.com, or Example <no-reply@example.com>', (given) =>
    mailAddress.test(namedMailbox.exec(given)?.[1] ?? given) ? value(given) : wrong('is not one mail address'),
  );

/** Addresses and CIDR ranges, separated by commas or white space. */
export const addressList = (name: string): Setting<readonly string[]> =>
  required(name, 'List addresses or CIDR ranges, such as 10.0.0.0/8, separated by commas', (given) => {
    const entries = given.split(/[\s,]+/).filter((entry) => entry !== '');
    const strange = entries.findIndex((entry) => !isAddressOrRange(entry));
    return strange < 0 ? value(entries) : wrong(`has an entry (the ${strange + 1}.) that is no address or CIDR range`);
  });

const isDestination = (given: string): boolean => {
  const [, host = '', port = ''] = /^(\[[0-9a-f:]+\]|[a-z0-9.-]+):([0-9]{1,5})$/.exec(given) ?? [];
  // As the URL parser writes the host, since that is what is compared.
  return URL.canParse(`https://${host}/`) && new URL(`https://${host}/`).hostname === host && Number(port) >= 1 && Number(port) <= 65_535;
};

/** Hosts with their ports, separated by commas or white space. */
export const destinationList = (name: string): Setting<readonly string[]> =>
  required(name, 'List exact hosts with their ports, such as clients.internal:8443 or [fd00::7]:443, separated by commas', (given) => {
    const entries = given.split(/[\s,]+/).filter((entry) => entry !== '');
    const strange = entries.findIndex((entry) => !isDestination(entry));
    return strange < 0 ? value(entries) : wrong(`has an entry (the ${strange + 1}.) that is no host with its port, in lower case`);
  });

/** Whole seconds, from a second to a week each, at most 20 of them. */
export const secondsList = (name: string): Setting<readonly number[]> =>
  required(name, 'List whole seconds, such as 5, 300, 1800, separated by commas', (given) => {
    const entries = given.split(/[\s,]+/).filter((entry) => entry !== '');
    if (entries.length > 20) return wrong('has more than 20 entries');
    const strange = entries.findIndex((entry) => !/^[1-9]\d{0,5}$/.test(entry) || Number(entry) > 604_800);
    return strange < 0 ? value(entries.map(Number)) : wrong(`has an entry (the ${strange + 1}.) that is not from 1 to 604800`);
  });

const pemCertificate = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

const isCertificate = (cert: string): boolean => {
  try {
    // Given as `ca` it would be passed over in silence where it cannot be read.
    createSecureContext({ cert });
    return true;
  } catch {
    return false;
  }
};

/** Certificates in PEM, one after another, whose holders vouch for others or, signed by themselves, for themselves. */
export const authorities = (name: string): Setting<string> =>
  required(name, 'Give it the certificate of a certificate authority in PEM, from -----BEGIN CERTIFICATE----- on', (given) => {
    const certificates = given.match(pemCertificate) ?? [];
    if (certificates.length === 0 || given.replaceAll(pemCertificate, '').trim() !== '') return wrong('is not PEM of certificates alone');
    return certificates.every(isCertificate) ? value(given) : wrong('holds a certificate that cannot be read');
  });

const secretLength = 32;

/** Secrets, newest first, separated by commas or white space; each at least 32 characters. */
export const secrets = (name: string): Setting<readonly [string, ...string[]]> =>
  required(
    name,
    `Make one with: openssl rand -base64 32. When rotating, put the new one first and keep the old one after a comma`,
    (given) => {
      const [newest, ...older] = given.split(/[\s,]+/).filter((entry) => entry !== '');
      if (newest === undefined) return wrong('is empty');
      if ([newest, ...older].some((entry) => entry.length < secretLength))
        return wrong(`holds a secret shorter than ${secretLength} characters`);
      if (new Set([newest, ...older]).size <= older.length) return wrong('holds the same secret twice');
      return value([newest, ...older] as const);
    },
  );
