import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** DER (X.690 §8): a tag, a length and what it holds. */
const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const octets = (content: Uint8Array): Buffer => der(0x04, content);
const bits = (content: Uint8Array): Buffer => der(0x03, Buffer.from([0]), content);
const text = (content: string): Buffer => der(0x0c, Buffer.from(content));
const yes = der(0x01, Buffer.from([255]));

/** Object identifiers, encoded (RFC 5280, RFC 5758). */
const oid = {
  commonName: Buffer.from([0x06, 3, 0x55, 4, 3]),
  basicConstraints: Buffer.from([0x06, 3, 0x55, 29, 19]),
  alternativeName: Buffer.from([0x06, 3, 0x55, 29, 17]),
  ecdsaWithSha256: Buffer.from([0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]),
};
const algorithm = sequence(oid.ecdsaWithSha256);

const nameOf = (name: string): Buffer => sequence(der(0x31, sequence(oid.commonName, text(name))));
const time = (instant: Date): Buffer => {
  const digits = instant.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(digits.slice(2)));
};
const alternative = (host: string): Buffer =>
  isIPv4(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host));

const certify = (of: {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
}): string => {
  const [now, day] = [Date.now(), 86_400_000];
  const serial = randomBytes(16);
  // Positive, and without a leading zero.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    nameOf(of.issuer),
    sequence(time(new Date(now - day)), time(new Date(now + 30 * day))),
    nameOf(of.subject),
    of.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...of.extensions)),
  );
  const certificate = sequence(signed, algorithm, bits(sign('sha256', signed, of.signer)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
};

export type Authority = {
  /** Its certificate in PEM, for whoever is to trust it. */
  readonly pem: string;
  readonly issue: (hosts: readonly string[]) => { readonly cert: string; readonly key: string };
};

/** A certificate authority of the test's own, valid for a month (RFC 5280). */
export const createAuthority = (name = 'Authority of a test'): Authority => {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = certify({
    subject: name,
    issuer: name,
    publicKey: own.publicKey,
    signer: own.privateKey,
    extensions: [sequence(oid.basicConstraints, yes, octets(sequence(yes)))],
  });
  return {
    pem,
    issue: (hosts) => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const names = sequence(oid.alternativeName, octets(sequence(...hosts.map(alternative))));
      const cert = certify({ subject: hosts[0] ?? '', issuer: name, publicKey, signer: own.privateKey, extensions: [names] });
      return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
    },
  };
};
