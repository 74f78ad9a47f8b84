import { randomBytes } from 'node:crypto';
import { HOTP, Secret, TOTP } from 'otpauth';
import { constantTimeEqual } from './constant-time.ts';

/** What every authenticator app understands: SHA-1, six digits, a new code every 30 seconds (RFC 6238 §1.2, §5.2). */
const settings = { algorithm: 'SHA1', digits: 6 } as const;
const periodMs = 30_000;
/** Time steps before and after the present one that are taken as well: clocks of phones differ (RFC 6238 §5.2). */
const window = 1;
const sixDigits = /^\d{6}$/;

const secretOf = (seed: Uint8Array): Secret => new Secret({ buffer: Uint8Array.from(seed).buffer });

/** A new seed: 20 random bytes, as long as the output of HMAC-SHA-1 (RFC 4226 §4, R6). */
export const createTotpSeed = (): Uint8Array => randomBytes(20);

/** The seed as people type it into an app: 32 characters of base32. */
export const totpSecretText = (seed: Uint8Array): string => secretOf(seed).base32;

/** What an authenticator app reads from a QR code: the seed, whose it is and for which account. A secret. */
export const otpauthUri = (of: { readonly seed: Uint8Array; readonly issuer: string; readonly account: string }): string =>
  new TOTP({ ...settings, period: periodMs / 1000, secret: secretOf(of.seed), issuer: of.issuer, label: of.account }).toString();

/**
 * The time step whose code this is, or null for a code of none near now. Takes the same time for every code of six digits.
 *
 * A code is good once (RFC 6238 §5.2): the caller claims the step it answers.
 *
 * @param check `now` is milliseconds since the epoch.
 */
export const verifyTotp = (check: { readonly seed: Uint8Array; readonly code: string; readonly now: number }): number | null => {
  if (!sixDigits.test(check.code)) return null;
  const secret = secretOf(check.seed);
  const present = Math.floor(check.now / periodMs);
  let matched: number | null = null;
  for (let step = Math.max(0, present - window); step <= present + window; step += 1) {
    // Every step is compared, also after a match: the time does not tell which it was.
    if (constantTimeEqual(HOTP.generate({ ...settings, secret, counter: step }), check.code)) matched = step;
  }
  return matched;
};

/** When the code of a step can no longer be right: milliseconds since the epoch, the same for everybody who asks. */
export const totpStepEnd = (step: number): number => (step + 1 + window) * periodMs;
