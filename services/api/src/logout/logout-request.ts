import type { PlatformId } from '@grantlog/eventsourcing';
import type { Deps } from '../deps.ts';
import type { LogoutHint } from './read-logout-hint.ts';

/** What an app asked for when it sent somebody to be signed out. */
export type LogoutRequest = {
  /** From a genuine hint, which the app may have left out, or which may be none of ours. */
  readonly hint: LogoutHint | null;
  /** The app that asks, by its own word or the hint's; null where neither says. */
  readonly clientId: string | null;
  /** Where it wants people to be sent back to; nothing is proved of it. */
  readonly redirectUri: string | null;
  /** Echoed to it exactly. */
  readonly state: string | null;
};

type Sealed = { readonly request: LogoutRequest; readonly browserId: string | null; readonly expiresAt: number };

const purpose = (platform: PlatformId): string => `logout request ${platform}`;

const open = ({ sealer }: Pick<Deps, 'sealer'>, platform: PlatformId, sealed: string, now: number): Sealed | null => {
  // What opens was sealed below for this purpose.
  const opened = sealer.openJson(sealed, purpose(platform)) as Sealed | null;
  return opened === null || now >= opened.expiresAt ? null : opened;
};

const formTime = 3_600_000;
const passingTime = 60_000;

/** The request for the form of the page that asks, good for an hour in this browser. */
export const sealForForm = (
  { sealer }: Pick<Deps, 'sealer'>,
  platform: PlatformId,
  { request, browserId, now }: { readonly request: LogoutRequest; readonly browserId: string; readonly now: number },
): string => sealer.sealJson({ request, browserId, expiresAt: now + formTime } satisfies Sealed, purpose(platform));

/** The request that a form brought back, or null when it is not ours, not this browser's or too old. */
export const openForm = (
  deps: Pick<Deps, 'sealer'>,
  platform: PlatformId,
  form: { readonly sealed: string; readonly browserId: string; readonly now: number },
): LogoutRequest | null => {
  const opened = open(deps, platform, form.sealed, form.now);
  return opened === null || opened.browserId !== form.browserId ? null : opened.request;
};

/** The request for a redirect to ourselves, good for a minute. It says no more than the app itself may say in a URL. */
export const sealForPassing = (
  { sealer }: Pick<Deps, 'sealer'>,
  platform: PlatformId,
  { request, now }: { readonly request: LogoutRequest; readonly now: number },
): string => sealer.sealJson({ request, browserId: null, expiresAt: now + passingTime } satisfies Sealed, purpose(platform));

/** The request that came by such a redirect, or null when it is not ours or too old. */
export const openPassed = (
  deps: Pick<Deps, 'sealer'>,
  platform: PlatformId,
  { sealed, now }: { readonly sealed: string; readonly now: number },
): LogoutRequest | null => {
  const opened = open(deps, platform, sealed, now);
  return opened === null || opened.browserId !== null ? null : opened.request;
};
