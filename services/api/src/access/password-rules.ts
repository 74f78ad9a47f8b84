import { canonicalEmail } from '@grantlog/provisioning';

const shortest = 12;
const longest = 1024;

/** Why a password that somebody chose for themselves is not taken. */
export type PasswordProblem = 'password_short' | 'password_long' | 'password_is_email';
/** The same of one that takes the place of another. */
export type NewPasswordProblem = PasswordProblem | 'password_unchanged';

export const passwordWords = {
  password_short: 'A password has at least 12 characters. Several words are a good one.',
  password_long: 'A password has at most 1,024 bytes.',
  password_is_email: 'The password may not be the email address.',
  password_unchanged: 'The new password is the same as the current one that was typed.',
} as const satisfies Record<NewPasswordProblem, string>;

/**
 * What is wrong with a password that somebody chooses: length, and nothing about which characters are in it.
 *
 * @param chosen.email as accounts have it, canonical.
 * @see NIST SP 800-63B §5.1.1.2
 */
export const passwordProblemOf = ({ email, password }: { readonly email: string; readonly password: string }): PasswordProblem | null => {
  // The length comes first: normalising megabytes is slow. NFC as the hash takes it.
  if (password.length > 2 * longest || !password.isWellFormed()) return 'password_long';
  const characters = password.normalize('NFC');
  if (Buffer.byteLength(characters) > longest) return 'password_long';
  if ([...characters].length < shortest) return 'password_short';
  return canonicalEmail(password) === email ? 'password_is_email' : null;
};

/** The same for a change. Nothing of it depends on whether the current password was typed right. */
export const newPasswordProblemOf = (typed: {
  readonly email: string;
  readonly current: string;
  readonly password: string;
}): NewPasswordProblem | null => {
  const problem = passwordProblemOf(typed);
  if (problem !== null) return problem;
  // One that is longer than any password is none that could be the same.
  const isSame = typed.current.length <= 2 * longest && typed.current.normalize('NFC') === typed.password.normalize('NFC');
  return isSame ? 'password_unchanged' : null;
};
