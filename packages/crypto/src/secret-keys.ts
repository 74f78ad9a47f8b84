import { createHmac, hkdfSync } from 'node:crypto';

/** A secret of fewer than 32 characters, or none at all. The message tells its place in the list and its length, never itself. */
export class WeakSecret extends Error {
  override readonly name = 'WeakSecret';
}

/** One GRANTLOG_SECRET and what derives from it. The secret itself is not kept. */
export type SecretKeys = {
  /** Four bytes that tell which secret sealed something, and nothing about it. */
  readonly fingerprint: Uint8Array;
  /** The key of one sealed message. */
  readonly sealingKey: (salt: Uint8Array) => Uint8Array;
  readonly macKey: (purpose: string) => Uint8Array;
};

const minimumLength = 32;
// Purposes are constants of the code; the bound keeps a caller who passes data from growing the process.
const cachedPurposes = 64;

const createSecretKeys = (secret: string): SecretKeys => {
  const derive = (purpose: string, length: number): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, 'grantlog secret v1', purpose, length));
  const sealing = derive('seal', 32);
  const macKeys = new Map<string, Uint8Array>();
  return {
    fingerprint: derive('fingerprint', 4),
    sealingKey: (salt) => createHmac('sha256', sealing).update(salt).digest(),
    macKey: (purpose) => {
      const known = macKeys.get(purpose);
      if (known !== undefined) return known;
      const key = derive(`mac ${purpose}`, 32);
      if (macKeys.size < cachedPurposes) macKeys.set(purpose, key);
      return key;
    },
  };
};

/** The keys of all secrets, in their order. @throws WeakSecret for an empty list or a short secret. */
export const createKeyring = (secrets: readonly string[]): readonly [SecretKeys, ...SecretKeys[]] => {
  const keyring = secrets.map((secret, index) => {
    if (secret.length < minimumLength) {
      throw new WeakSecret(`secret ${index + 1} of ${secrets.length} has ${secret.length} characters; ${minimumLength} are the least`);
    }
    return createSecretKeys(secret);
  });
  const [newest, ...older] = keyring;
  if (newest === undefined) throw new WeakSecret('there is no secret to seal under');
  return [newest, ...older];
};
