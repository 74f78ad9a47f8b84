import { randomToken } from '@grantlog/crypto';
import type { AccountId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { readCookie, setCookie } from '../http/cookies.ts';

/** A browser with which these accounts have signed in, the latest first. */
export type KnownDevice = { readonly device: string; readonly accounts: readonly string[] };

const year = 31_536_000;
/** People who share a browser; the one who has not signed in for longest is forgotten. */
const mostAccounts = 4;
const purpose = (platform: PlatformId): string => `known device ${platform}`;

const isKnownDevice = (value: unknown): value is KnownDevice => {
  const { device, accounts } = (value ?? {}) as Partial<Record<keyof KnownDevice, unknown>>;
  return typeof device === 'string' && Array.isArray(accounts) && accounts.every((account) => typeof account === 'string');
};

/** What the browser's cookie says about who has used it; null where it says nothing that we sealed. */
export const readKnownDevice = (
  deps: Pick<Deps, 'config' | 'sealer'>,
  request: FastifyRequest,
  platform: PlatformId,
): KnownDevice | null => {
  const sealed = readCookie(deps, request, platform, 'known');
  const opened = sealed === undefined ? null : deps.sealer.openJson(sealed, purpose(platform));
  return isKnownDevice(opened) ? opened : null;
};

/**
 * Lets the browser show for a year that the account has signed in with it. It opens nothing: it only keeps attempts of
 * this browser apart from those of strangers.
 */
export const rememberDevice = (
  deps: Pick<Deps, 'config' | 'sealer'>,
  request: FastifyRequest,
  reply: FastifyReply,
  signedIn: { readonly platform: PlatformId; readonly account: AccountId },
): void => {
  const { platform, account } = signedIn;
  const before = readKnownDevice(deps, request, platform);
  const accounts = [account, ...(before?.accounts ?? []).filter((other) => other !== account)].slice(0, mostAccounts);
  const known: KnownDevice = { device: before?.device ?? randomToken(16), accounts };
  setCookie(deps, reply, { platform, name: 'known', value: deps.sealer.sealJson(known, purpose(platform)), maxAge: year });
};
