import type { AccountId, PlatformDocument } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { queueMail } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { issuerOf } from '../platforms/issuer.ts';

/**
 * Mails the code to a mailbox without an account, and to one that has an account that it has one. Nothing that was typed
 * is in either: whoever types it would be the author of a mail from us.
 *
 * @throws UnsendableMail for what is not one address.
 */
export const mailAboutSignUp = async (
  deps: Pick<Deps, 'config' | 'provisioning'>,
  mail: {
    readonly platform: PlatformId;
    readonly document: PlatformDocument;
    readonly to: string;
    readonly account: AccountId | null;
    readonly code: string;
  },
): Promise<void> => {
  const { platform, document, to, account, code } = mail;
  const { displayName } = document.branding;
  const words =
    account === null
      ? {
          subject: `Your code for ${displayName}`,
          text: `Somebody, most likely you, wants to create an account at ${displayName} with this email address.

The code is: ${code.slice(0, 4)}-${code.slice(4)}

Type it into the page that asks for it, within 15 minutes. If it was not you, do nothing: without the code no account is made.
`,
        }
      : {
          subject: `You have an account at ${displayName}`,
          text: `Somebody, most likely you, wanted to create an account at ${displayName} with this email address, which has one already.

Sign in with it: ${issuerOf(document, deps.config.publicUrl)}/sign-in

If it was not you, there is nothing to do: nothing was changed.
`,
        };
  await queueMail(deps.provisioning, { platform, account, to, ...words });
};
