export { addressDigest } from './address-digest.ts';
export { SealBroken } from './aead.ts';
export { createClientSecret, digestSecret, matchesDigest, type PlainSecret } from './client-secrets.ts';
export { constantTimeEqual, constantTimeEqualBytes } from './constant-time.ts';
export { createDigest, fingerprint, sha256 } from './digest.ts';
export { type DpopProof, type DpopRefusal, type DpopVerification, verifyDpopProof } from './dpop-proof.ts';
export { type DpopFault, dpopWords } from './dpop-words.ts';
export { hashClaim } from './hash-claim.ts';
export { expiringNameId, nameId, relatedId, standingId, uuidv7 } from './ids.ts';
export { type MatchNumbers, matchNumbers } from './match-number.ts';
export { createPasswords, type Passwords, PasswordsBusy } from './password-queue.ts';
export {
  hashPassword,
  needsRehash,
  UnacceptablePassword,
  UnsupportedPasswordHash,
  verifyAgainstNothing,
  verifyPassword,
} from './passwords.ts';
export { createDataKey, openPersonal, type PersonalFields, sealPersonal } from './personal.ts';
export { s256 } from './pkce.ts';
export { randomKey, randomToken, randomUuid } from './random.ts';
export { ed25519PublicKey, signEd25519, verifyEd25519 } from './raw-ed25519.ts';
export { verifyMlDsa44 } from './raw-ml-dsa.ts';
export { createRecoveryCodes, digestRecoveryCodes, findRecoveryCode, recoveryCodeCount } from './recovery-codes.ts';
export { createSealer, type Sealer } from './sealing.ts';
export { WeakSecret } from './secret-keys.ts';
export { type JwtClaims, signJwt } from './sign-jwt.ts';
export {
  type GeneratedSigningKey,
  generateSigningKey,
  importSigningKey,
  type PublicJwk,
  type SigningAlg,
  type SigningKey,
  signingAlgs,
} from './signing-keys.ts';
export { mintToken, type ParsedToken, type PlainToken, parseToken, shorten, type TokenKind, verifyToken } from './token.ts';
export type { TokenPayload } from './token-payload.ts';
export { createTotpSeed, otpauthUri, totpSecretText, totpStepEnd, verifyTotp } from './totp.ts';
export { canonicalUserCode, createUserCode } from './user-code.ts';
export { isUuid, uuidFromBytes, uuidToBytes } from './uuid.ts';
export { canVerify, type JwtRefusal, type JwtVerification, verifiableAlgs, verifyJwt } from './verify-jwt.ts';
export {
  createWebhookKeyPair,
  createWebhookSecret,
  parseWebhookSecret,
  readWebhookKey,
  type WebhookSecret,
  webhookPublicJwk,
} from './webhook-secrets.ts';
export { signWebhook, verifyWebhook, type WebhookRefusal, type WebhookVerification } from './webhook-signatures.ts';
