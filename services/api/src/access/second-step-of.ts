import type { AccountRecord, PlatformDocument } from '@grantlog/domain';

/** What an account has to show after its right password, before it is signed in. */
export const secondStepOf = (document: PlatformDocument, account: Pick<AccountRecord, 'factors'>): 'code' | 'enrolment' | 'nothing' => {
  // What was enrolled is asked for whatever the platform has been set to since.
  if (account.factors.length > 0) return 'code';
  return document.signIn.mfa === 'required' ? 'enrolment' : 'nothing';
};
