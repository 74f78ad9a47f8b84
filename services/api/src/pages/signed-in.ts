import type { AccountId, AccountRecord, SignInId } from '@grantlog/domain';
import { parseStreamId, signInDecider, signInStanding } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { type AccountContext, readContexts, readPersonal } from '@grantlog/provisioning';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { readCookie, setCookie } from '../http/cookies.ts';
import { foldAccount, foldPlatform } from '../platforms/load-parties.ts';

const purpose = (platform: PlatformId): string => `sign-in cookie ${platform}`;

/** Gives the browser a new sign-in; the cookie is made anew at every sign-in, so that none can be planted. */
export const setSignInCookie = (
  deps: Pick<Deps, 'config' | 'sealer'>,
  reply: FastifyReply,
  signIn: { readonly platform: PlatformId; readonly id: SignInId; readonly maxAge: number },
): void =>
  setCookie(deps, reply, {
    platform: signIn.platform,
    name: 'sign-in',
    value: deps.sealer.sealJson({ signIn: signIn.id }, purpose(signIn.platform)),
    maxAge: signIn.maxAge,
  });

/** Takes the sign-in from the browser. That it has ended, the log says. */
export const clearSignInCookie = (deps: Pick<Deps, 'config'>, reply: FastifyReply, platform: PlatformId): void =>
  setCookie(deps, reply, { platform, name: 'sign-in', value: '', maxAge: 0 });

/** The sign-in stream that this browser's cookie names, or null. Whether it still stands, the log says. */
export const readSignInCookie = (deps: Pick<Deps, 'config' | 'sealer'>, request: FastifyRequest, platform: PlatformId): SignInId | null => {
  const sealed = readCookie(deps, request, platform, 'sign-in');
  if (sealed === undefined) return null;
  const opened = deps.sealer.openJson(sealed, purpose(platform)) as { readonly signIn?: unknown } | null;
  const id = typeof opened?.signIn === 'string' ? parseStreamId(opened.signIn) : null;
  return id as SignInId | null;
};

/** Somebody who is signed in, as the log has it at one instant. */
export type SignedIn = {
  readonly id: SignInId;
  readonly account: AccountId;
  readonly email: string;
  readonly authTime: number;
  readonly amr: readonly string[];
  /** What of the account's a grant may be for. */
  readonly contexts: readonly AccountContext[];
};

/** The email of an account that was loaded with its secrets, as pages show it to its owner. */
export const emailOf = (
  deps: Pick<Deps, 'sealer'>,
  loaded: Loaded,
  of: { readonly platform: PlatformId; readonly account: AccountId; readonly record: Pick<AccountRecord, 'personal'> },
): string => {
  const personal = readPersonal(deps.sealer, {
    platform: of.platform,
    subject: of.account,
    wrappedKey: loaded.stream(of.account).dataKey,
    personal: of.record.personal,
  });
  return personal === 'erased' ? '(erased)' : (personal['email'] ?? '');
};

/** Who is signed in, from a load that followed the sign-in with its secrets; null when nobody (any more) is. */
export const signedInOf = (deps: Pick<Deps, 'sealer'>, loaded: Loaded, id: SignInId, platform: PlatformId): SignedIn | null => {
  const signIn = fold(signInDecider, loaded.stream(id));
  if (signIn.status !== 'active') return null;
  const account = foldAccount(loaded, signIn.account);
  if (account === null) return null;
  const stands = signInStanding({ signIn, platform: foldPlatform(loaded), account, now: loaded.now });
  if (stands !== 'good' || account.status !== 'active') return null;
  const email = emailOf(deps, loaded, { platform, account: signIn.account, record: account });
  const contexts = readContexts(deps.sealer, { platform, account, stream: loaded.stream(signIn.account) });
  return { id, account: signIn.account, email, authTime: signIn.authTime, amr: signIn.amr, contexts };
};
