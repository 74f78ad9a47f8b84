import type { NameId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type AttemptBucket, type Pool, takeAttempt } from '@grantlog/postgres';
import { networkOf } from '../access/network.ts';
import type { Deps } from '../deps.ts';

/** Mails that one address makes us send. Offices share addresses. */
const mailsOfAddress = { capacity: 30, secondsEach: 60 };
/** Mails to one mailbox by one address, and by all of them together: nobody's mailbox is filled through us. */
const mailsByAddress = { capacity: 3, secondsEach: 300 };
const mailsToMailbox = { capacity: 10, secondsEach: 600 };
/** Tries of one form's code. It is too old before a sixth fits. */
const triesOfForm = { capacity: 5, secondsEach: 900 };
const triesOfAddress = { capacity: 100, secondsEach: 6 };

type Context = Pick<Deps, 'sealer'> & { readonly provisioning: { readonly pool: Pool } };

const take = async (
  deps: Context,
  platform: PlatformId,
  now: number,
  sizes: readonly (readonly [string, Omit<AttemptBucket, 'key'>])[],
) => {
  const buckets = sizes.map(([what, size]) => ({
    key: deps.sealer.mac('sign-up bucket', new TextEncoder().encode(`${platform} ${what}`)),
    ...size,
  }));
  return Math.ceil(await takeAttempt(deps.provisioning.pool, platform, { buckets, gauge: null }, now));
};

/**
 * Takes from what may be mailed, whether an account has the email or not.
 *
 * @returns 0, or the whole seconds to wait.
 * @throws LogUnavailable
 */
export const takeMail = (
  deps: Context,
  mail: { readonly platform: PlatformId; readonly name: NameId; readonly address: string; readonly now: number },
): Promise<number> => {
  const network = networkOf(mail.address) ?? 'unknown';
  return take(deps, mail.platform, mail.now, [
    [`mail address ${network}`, mailsOfAddress],
    [`mail mailbox ${mail.name} ${network}`, mailsByAddress],
    [`mail mailbox ${mail.name}`, mailsToMailbox],
  ]);
};

/** Takes from what may be tried, before the code is looked at. Sending an older copy of a form gives no further tries. */
export const takeTry = (
  deps: Context,
  attempt: { readonly platform: PlatformId; readonly draft: string; readonly address: string; readonly now: number },
): Promise<number> =>
  take(deps, attempt.platform, attempt.now, [
    [`try form ${attempt.draft}`, triesOfForm],
    [`try address ${networkOf(attempt.address) ?? 'unknown'}`, triesOfAddress],
  ]);
