import { describe, expect, test } from 'vitest';
import { ed25519PublicKey, generateSigningKey, importSigningKey, signEd25519, verifyEd25519 } from '../src/index.ts';

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');
// RFC 8032 §7.1, test 3.
const vector = {
  seed: hex('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7'),
  publicKey: hex('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025'),
  bytes: hex('af82'),
  signature: hex(
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ),
};

describe('Ed25519 over bytes as they are', () => {
  // RFC 8410 §7: the fixed head of a PKCS #8 Ed25519 key, then its 32-byte seed.
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), vector.seed]);
  const key = importSigningKey({ alg: 'EdDSA', kid: 'k', pkcs8 });

  test('gives the signature of RFC 8032, and the public key of 32 bytes', () => {
    expect(Buffer.from(signEd25519(key, vector.bytes)).toString('hex')).toBe(Buffer.from(vector.signature).toString('hex'));
    expect(Buffer.from(ed25519PublicKey(key)).toString('hex')).toBe(Buffer.from(vector.publicKey).toString('hex'));
  });

  test('verifies it, and nothing else', () => {
    expect(verifyEd25519(vector)).toBe(true);
    expect(verifyEd25519({ ...vector, bytes: hex('af83') })).toBe(false);
    expect(verifyEd25519({ ...vector, publicKey: hex('00'.repeat(32)) })).toBe(false);
    expect(verifyEd25519({ ...vector, publicKey: vector.publicKey.subarray(1) })).toBe(false);
    expect(verifyEd25519({ ...vector, signature: vector.signature.subarray(1) })).toBe(false);
    for (let bit = 0; bit < 512; bit += 1) {
      const signature = Uint8Array.from(vector.signature);
      const at = Math.floor(bit / 8);
      signature[at] = (signature[at] ?? 0) ^ (1 << (bit % 8));
      expect(verifyEd25519({ ...vector, signature })).toBe(false);
    }
  });

  test('refuses a key of another algorithm', async () => {
    const other = importSigningKey(await generateSigningKey('ES256'));
    expect(() => signEd25519(other, vector.bytes)).toThrow(RangeError);
    expect(() => ed25519PublicKey(other)).toThrow(RangeError);
  });
});
