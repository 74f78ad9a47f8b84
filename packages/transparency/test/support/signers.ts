import { importSigningKey } from '@grantlog/crypto';
import type { NoteSigner } from '../../src/index.ts';

/** A signer whose seed is one byte, 32 times. */
export const signerOf = (name: string, byte: number): NoteSigner => {
  // RFC 8410 §7: the fixed head of a PKCS #8 Ed25519 key, then its 32-byte seed.
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, byte)]);
  return { name, key: importSigningKey({ alg: 'EdDSA', kid: name, pkcs8 }) };
};

export const origin = 'grantlog.example/audit/along';
export const logSigner = signerOf(origin, 7);
