import type { AccountId, PlatformDocument } from '@grantlog/domain';
import { type PlatformNames, queueMail } from '@grantlog/provisioning';
import type { FastifyBaseLogger } from 'fastify';
import type { Deps } from '../deps.ts';
import { issuerOf } from '../platforms/issuer.ts';

/** What happened to an account's password or second step. */
export type SecurityNews = 'password_changed' | 'enrolled' | 'replaced' | 'removed' | 'recovery_codes_renewed' | 'recovery_code_used';

const words = {
  password_changed: [
    'Your password was changed',
    'Whoever was signed in to your account has to sign in again, with the new password. Apps that you have allowed stay connected.',
  ],
  enrolled: [
    'A second step was set up',
    'An authenticator app was set up: signing in now asks for a code of it, too. Whoever was signed in by the password alone has to sign in again.',
  ],
  replaced: ['Your second step was moved', 'Another authenticator app was set up. The codes of the one before are no longer taken.'],
  removed: ['Your second step was switched off', 'Signing in asks for the password alone from now on.'],
  recovery_codes_renewed: ['New recovery codes were made', 'The recovery codes that you had before are no longer taken.'],
  recovery_code_used: ['A recovery code was used', 'Somebody has signed in with your password and a recovery code, which is spent.'],
} as const satisfies Record<SecurityNews, readonly [subject: string, text: string]>;

/**
 * Tells the owner of an account by mail. What happened stands in the log already, so a mail that cannot be queued is
 * logged and holds nobody up.
 */
export const tellOwner = async (
  deps: Pick<Deps, 'config' | 'provisioning'>,
  log: FastifyBaseLogger,
  told: {
    readonly names: PlatformNames;
    readonly document: PlatformDocument;
    readonly account: AccountId;
    readonly email: string;
    readonly news: SecurityNews;
  },
): Promise<void> => {
  const { document, account, email, news } = told;
  const [subject, text] = words[news];
  const settings = `${issuerOf(document, deps.config.publicUrl)}/security`;
  try {
    await queueMail(deps.provisioning, {
      platform: told.names.platform,
      account,
      to: email,
      subject,
      text: `${text}\n\nIf this was not you, ask the operators for a new password at once, which ends every sign-in, and look at your settings:\n${settings}\n\n${document.branding.displayName}\n`,
    });
  } catch (error) {
    log.warn({ err: error }, 'a mail about the security of an account could not be queued');
  }
};
