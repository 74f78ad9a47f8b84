import { randomToken } from '@grantlog/crypto';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { Deps } from '../deps.ts';
import type { Destination } from './second-step-seal.ts';

/** An account that somebody wants. It travels in the form and stands nowhere else until its mailbox has answered (design §3). */
export type SignUpDraft = {
  /** What tries of the code are counted under. */
  readonly id: string;
  /** In its canonical form: what is claimed is what was written to. */
  readonly email: string;
  readonly displayName: string;
  readonly passwordHash: string;
  /** A MAC of the code that was mailed. */
  readonly proof: string;
  readonly browserId: string;
  /** Milliseconds since the epoch, by the database's clock. */
  readonly issuedAt: number;
  readonly destination: Destination;
};

/** How long the code that was mailed is taken, in milliseconds. */
const codeLifetime = 900_000;

const purpose = (platform: PlatformId): string => `sign-up ${platform}`;

export const sealDraft = ({ sealer }: Pick<Deps, 'sealer'>, platform: PlatformId, draft: SignUpDraft): string =>
  sealer.sealJson(draft, purpose(platform));

/** The draft of a form, or null when it is not ours, not this browser's or too old. */
export const openDraft = (
  { sealer }: Pick<Deps, 'sealer'>,
  platform: PlatformId,
  form: { readonly sealed: string | undefined; readonly browserId: string; readonly now: number },
): SignUpDraft | null => {
  if (form.sealed === undefined) return null;
  // What opens was sealed by sealDraft for this purpose.
  const draft = sealer.openJson(form.sealed, purpose(platform)) as SignUpDraft | null;
  if (draft === null || draft.browserId !== form.browserId) return null;
  const age = form.now - draft.issuedAt;
  // A negative age means that a clock went backwards: fail closed.
  return age < 0 || age >= codeLifetime ? null : draft;
};

/** Crockford's base 32: nothing in it is taken for something else, and no word comes of it by accident. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 40 random bits as eight characters. Five tries of a form leave a guesser one chance in 2 × 10¹¹. */
export const createCode = (): string => {
  const bits = [...Buffer.from(randomToken(5), 'base64url')].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return Array.from({ length: 8 }, (_, index) => alphabet[Number.parseInt(bits.slice(index * 5, index * 5 + 5), 2)]).join('');
};

/** A code as people type it: any case, spaces and hyphens anywhere, the letters that look like digits. */
const canonicalCode = (code: string): string => code.replaceAll(/[\s-]/g, '').toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1');

type CodeOf = { readonly platform: PlatformId; readonly draft: string; readonly code: string };

const signed = ({ platform, draft, code }: CodeOf) => ({
  purpose: 'sign-up code',
  bytes: new TextEncoder().encode(`${platform} ${draft} ${canonicalCode(code)}`),
});

export const proofOf = ({ sealer }: Pick<Deps, 'sealer'>, of: CodeOf): string => {
  const { purpose: use, bytes } = signed(of);
  return Buffer.from(sealer.mac(use, bytes)).toString('base64url');
};

/** Whether this is the code that was mailed. Constant time. */
export const isCodeOf = ({ sealer }: Pick<Deps, 'sealer'>, of: CodeOf & { readonly proof: string }): boolean =>
  sealer.checkMac({ ...signed(of), mac: Buffer.from(of.proof, 'base64url') });
