import { randomToken } from '@grantlog/crypto';
import type { AccountId, AccountRecord } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { readCookie, setCookie } from '../http/cookies.ts';

/** An account that has signed in with a browser, and the id of the password that it had then. */
type SignedInBefore = { readonly account: string; readonly password: string | null };

/** A browser with which these accounts have signed in, the latest first. */
export type KnownDevice = { readonly device: string; readonly accounts: readonly SignedInBefore[] };

const year = 31_536_000;
/** People who share a browser; the one who has not signed in for longest is forgotten. */
const mostAccounts = 4;
const purpose = (platform: PlatformId): string => `known device ${platform}`;

const isKnownDevice = (value: unknown): value is KnownDevice => {
  const { device, accounts } = (value ?? {}) as Partial<Record<keyof KnownDevice, unknown>>;
  return (
    typeof device === 'string' &&
    Array.isArray(accounts) &&
    accounts.every((entry: Partial<SignedInBefore> | null) => typeof entry?.account === 'string')
  );
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
 * The browser's own id, where the account has signed in with it under the password that it has now. Another password ends
 * what browsers are known by: whoever knew the one before keeps no place to guess from.
 */
export const deviceOf = (
  known: KnownDevice | null,
  owner: { readonly account: AccountId; readonly record: Pick<AccountRecord, 'passwordCredential'> },
): string | null => {
  const { passwordCredential } = owner.record;
  const isKnown = known?.accounts.some(({ account, password }) => account === owner.account && password === passwordCredential) === true;
  return isKnown ? known.device : null;
};

/**
 * Lets the browser show for a year that the account has signed in with it. It opens nothing: it only keeps attempts of
 * this browser apart from those of strangers.
 */
export const rememberDevice = (
  deps: Pick<Deps, 'config' | 'sealer'>,
  request: FastifyRequest,
  reply: FastifyReply,
  signedIn: { readonly platform: PlatformId; readonly account: AccountId; readonly record: Pick<AccountRecord, 'passwordCredential'> },
): void => {
  const { platform, account, record } = signedIn;
  const before = readKnownDevice(deps, request, platform);
  const others = (before?.accounts ?? []).filter((other) => other.account !== account);
  const accounts = [{ account, password: record.passwordCredential }, ...others].slice(0, mostAccounts);
  const known: KnownDevice = { device: before?.device ?? randomToken(16), accounts };
  setCookie(deps, reply, { platform, name: 'known', value: deps.sealer.sealJson(known, purpose(platform)), maxAge: year });
};
