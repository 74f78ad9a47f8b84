import type { Sealer } from '@grantlog/crypto';
import { findRecoveryCode, verifyTotp } from '@grantlog/crypto';
import type { AccountEvent, AccountId, AccountRecord, AccountState, NameId } from '@grantlog/domain';
import { accountDecider, nameDecider } from '@grantlog/domain';
import type { Loaded, LoadRequest, NewEvent, StreamId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { PlatformNames } from './platform-directory.ts';
import { openCredential } from './sealed-credentials.ts';

/** A right second factor, not yet spent: it is spent in the commit that it allows, so that it is good once. */
export type SecondFactorProof =
  | { readonly method: 'totp'; readonly claim: NameId }
  | { readonly method: 'recovery_code'; readonly index: number };

/** Six digits, however they were grouped. */
const typedCode = (text: string): string => text.replaceAll(/\s/g, '');
const isTotp = (text: string): boolean => /^\d{6}$/.test(typedCode(text));

/**
 * What a code proves for an account, or null: six digits are one of its authenticator app, all else is a recovery code.
 * Whether it was used before is for the commit to find out.
 *
 * @param account as loaded with its secrets.
 * @throws SealBroken
 */
export const checkSecondFactor = (
  context: { readonly sealer: Sealer; readonly names: PlatformNames },
  account: { readonly id: AccountId; readonly record: AccountRecord; readonly loaded: Loaded },
  code: string,
): SecondFactorProof | null => {
  const { id, record, loaded } = account;
  const open = (kind: 'totp_seed' | 'recovery_codes', credentialId: string): Uint8Array =>
    openCredential(context.sealer, {
      platform: context.names.platform,
      owner: id,
      kind,
      id: credentialId,
      credentials: loaded.stream(id).credentials,
    });
  if (isTotp(code)) {
    const held = record.factors.find(({ factor }) => factor === 'totp');
    if (held === undefined) return null;
    const step = verifyTotp({ seed: open('totp_seed', held.credentialId), code: typedCode(code), now: loaded.now });
    return step === null ? null : { method: 'totp', claim: context.names.totpStep(id, step) };
  }
  if (record.recoveryCodes === null) return null;
  const index = findRecoveryCode(open('recovery_codes', record.recoveryCodes.credentialId), code);
  return index === null ? null : { method: 'recovery_code', index };
};

/** What has to be loaded so that a proof can be spent, besides the account. */
export const proofStreams = (proof: SecondFactorProof | null): readonly LoadRequest[] =>
  proof?.method === 'totp' ? [{ streamId: proof.claim }] : [];

export type SpentProof =
  | { readonly refusal: 'code_used' }
  | {
      /** What the account's own stream records first. */
      readonly account: readonly AccountEvent[];
      readonly writes: readonly { readonly streamId: StreamId; readonly events: readonly NewEvent[] }[];
    };

/** Spends a proof: of any number of commits that carry the same one, the log takes the first (RFC 6238 §5.2). Null spends nothing. */
export const spendProof = (
  proof: SecondFactorProof | null,
  account: { readonly id: AccountId; readonly state: AccountState; readonly loaded: Loaded },
): SpentProof => {
  if (proof === null) return { account: [], writes: [] };
  switch (proof.method) {
    case 'totp': {
      const name = fold(nameDecider, account.loaded.stream(proof.claim));
      const { events, refusal } = nameDecider.decide({ type: 'claim', kind: 'totp_step', owner: account.id }, name);
      return refusal === undefined ? { account: [], writes: [{ streamId: proof.claim, events }] } : { refusal: 'code_used' };
    }
    case 'recovery_code': {
      const { events, refusal } = accountDecider.decide({ type: 'useRecoveryCode', index: proof.index }, account.state);
      return refusal === undefined ? { account: events, writes: [] } : { refusal: 'code_used' };
    }
  }
};

/** How the ID token states a sign-in with the password and this proof, if any (RFC 8176): it has no value for a recovery code. */
export const amrOf = (proof: SecondFactorProof | null): readonly string[] => {
  if (proof === null) return ['pwd'];
  return proof.method === 'totp' ? ['pwd', 'otp', 'mfa'] : ['pwd', 'mfa'];
};
