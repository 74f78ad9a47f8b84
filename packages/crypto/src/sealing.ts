import { createHmac, randomBytes } from 'node:crypto';
import { decrypt, encrypt, SealBroken } from './aead.ts';
import { decodeBase64Url } from './base64url.ts';
import { constantTimeEqualBytes } from './constant-time.ts';
import { frame } from './framing.ts';
import { createKeyring, type SecretKeys } from './secret-keys.ts';

/** Encryption and MACs under GRANTLOG_SECRET: the newest secret writes, all of them read. */
export type Sealer = {
  /** AES-256-GCM of `plaintext`, bound to `aad`: what it is and whose, in words the reader knows too. Adds 45 bytes. */
  readonly seal: (plaintext: Uint8Array, aad: string) => Uint8Array;
  /** @throws SealBroken unless these bytes were sealed for this `aad` under one of the secrets. */
  readonly open: (sealed: Uint8Array, aad: string) => Uint8Array;
  /** Seals a JSON value as base64url, for form fields and cookies. */
  readonly sealJson: (value: NonNullable<unknown>, aad: string) => string;
  /** The JSON value, or null when the text does not open: whoever sent it may have made it up. */
  readonly openJson: (text: string, aad: string) => unknown;
  /** Whether the newest secret sealed these bytes; if not, they want sealing again before the old secret goes. */
  readonly isCurrent: (sealed: Uint8Array) => boolean;
  /** HMAC-SHA-256 under a key of the purpose's own. 32 bytes. The purpose is a constant of the code, never data. */
  readonly mac: (purpose: string, bytes: Uint8Array) => Uint8Array;
  /** Whether {@link Sealer.mac} made this MAC under any of the secrets. Constant time. */
  readonly checkMac: (check: { readonly purpose: string; readonly bytes: Uint8Array; readonly mac: Uint8Array }) => boolean;
};

const formatVersion = 1;
const saltLength = 12;
// version 1 · fingerprint 4 · salt 12, then the nonce, ciphertext and tag of `encrypt`
const headerLength = 1 + 4 + saltLength;

const fingerprintOf = (sealed: Uint8Array): Uint8Array => sealed.subarray(1, 5);
const isFormat = (sealed: Uint8Array): boolean => sealed.byteLength >= headerLength && sealed[0] === formatVersion;
const associated = (header: Uint8Array, aad: string): Buffer => frame('grantlog sealed v1', header, aad);

const sealUnder = (keys: SecretKeys, plaintext: Uint8Array, aad: string): Buffer => {
  // A key of its own for each message: 96-bit random nonces under one key would run out after 2³² messages,
  // and forms that anybody may fetch are sealed here.
  const salt = randomBytes(saltLength);
  const header = Buffer.concat([Uint8Array.of(formatVersion), keys.fingerprint, salt]);
  return Buffer.concat([header, encrypt({ key: keys.sealingKey(salt), plaintext, aad: associated(header, aad) })]);
};

const openUnder = (keys: SecretKeys, sealed: Uint8Array, aad: string): Buffer => {
  const header = sealed.subarray(0, headerLength);
  const key = keys.sealingKey(header.subarray(-saltLength));
  return decrypt({ key, sealed: sealed.subarray(headerLength), aad: associated(header, aad) });
};

const macUnder = (keys: SecretKeys, purpose: string, bytes: Uint8Array): Buffer =>
  createHmac('sha256', keys.macKey(purpose)).update(bytes).digest();

const parseJson = (bytes: Buffer): unknown => JSON.parse(bytes.toString('utf8'));

/**
 * A sealer under secrets given newest first. Adding a secret in front and dropping the last rotates them;
 * between the two, everything for which {@link Sealer.isCurrent} is false is sealed again.
 *
 * @throws WeakSecret when there is no secret, or one has fewer than 32 characters.
 */
export const createSealer = (secrets: readonly string[]): Sealer => {
  const keyring = createKeyring(secrets);
  const [newest] = keyring;

  const open = (sealed: Uint8Array, aad: string): Buffer => {
    if (!isFormat(sealed)) throw new SealBroken();
    const keys = keyring.find((candidate) => constantTimeEqualBytes(candidate.fingerprint, fingerprintOf(sealed)));
    if (keys === undefined) throw new SealBroken();
    return openUnder(keys, sealed, aad);
  };

  return {
    seal: (plaintext, aad) => sealUnder(newest, plaintext, aad),
    open,
    sealJson: (value, aad) => sealUnder(newest, Buffer.from(JSON.stringify(value), 'utf8'), aad).toString('base64url'),
    openJson: (text, aad) => {
      const sealed = decodeBase64Url(text);
      if (sealed === null) return null;
      try {
        return parseJson(open(sealed, aad));
      } catch (error) {
        if (error instanceof SealBroken) return null;
        throw error;
      }
    },
    isCurrent: (sealed) => isFormat(sealed) && constantTimeEqualBytes(newest.fingerprint, fingerprintOf(sealed)),
    mac: (purpose, bytes) => macUnder(newest, purpose, bytes),
    checkMac: ({ purpose, bytes, mac }) => keyring.some((keys) => constantTimeEqualBytes(macUnder(keys, purpose, bytes), mac)),
  };
};
