import type { AccountId, SessionId, SignInId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { Deps } from '../deps.ts';

/** How the person has shown which session is meant: by the agent's link, or by typing its code (RFC 8628 §3.3). */
type ConnectEntry = 'link' | 'user_code';

/** An agent's session on its way to one person's answer, as forms carry it sealed. Neither of its tokens is in it. */
export type PendingSession = {
  readonly session: SessionId;
  readonly clientId: string;
  readonly entry: ConnectEntry;
  readonly browserId: string;
  /** Who is asked, once somebody has signed in. */
  readonly signIn: { readonly id: SignInId; readonly account: AccountId } | null;
  /** The hosts of the webhooks that the consent page named: what the answer is about. Empty until it was shown. */
  readonly webhookHosts: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
};

const purpose = (platform: PlatformId): string => `agent session ${platform}`;

export const sealSession = ({ sealer }: Pick<Deps, 'sealer'>, platform: PlatformId, pending: PendingSession): string =>
  sealer.sealJson(pending, purpose(platform));

/** The pending session of a form, or null when it is not ours, not this browser's or too old. */
export const openSession = (
  { sealer }: Pick<Deps, 'sealer'>,
  platform: PlatformId,
  form: { readonly sealed: string | undefined; readonly browserId: string; readonly now: number },
): PendingSession | null => {
  if (form.sealed === undefined) return null;
  // What opens was sealed by sealSession for this purpose.
  const pending = sealer.openJson(form.sealed, purpose(platform)) as PendingSession | null;
  return pending === null || pending.browserId !== form.browserId || form.now >= pending.expiresAt ? null : pending;
};
