import { uuidv7 } from '@grantlog/crypto';
import type { AccountId, SignInId } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { type NewSignIn, sealPersonalOf } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';

/** Who tried, as far as the request says it. Personal data: it enters the log only sealed under the account's key. */
export type Visitor = { readonly address: string; readonly userAgent: string };

export const visitorOf = (request: FastifyRequest): Visitor => ({
  address: request.ip,
  userAgent: request.headers['user-agent'] ?? '',
});

/** Characters of a program's name that are kept. */
const longestUserAgent = 256;

/**
 * By which program an agent began. A page in a browser is named before it: it begins from its visitor's own address, by its
 * visitor's own browser, and cannot leave its origin out.
 */
export const beginningProgram = (request: FastifyRequest, program: string): string => {
  const { origin } = request.headers;
  return (origin === undefined ? program : `a page of ${origin}, in ${program}`).slice(0, longestUserAgent);
};

/** A sign-in stream for a visit: its id, and the visitor sealed for its first event, where the account still has a data key. */
export const newSignIn = (
  deps: Pick<Deps, 'sealer'>,
  visit: {
    readonly platform: PlatformId;
    /** Null where nobody has the email that was typed: then nothing of the visitor is kept. */
    readonly account: AccountId | null;
    readonly visitor: Visitor;
    /** With the account's secrets. */
    readonly loaded: Loaded;
  },
): NewSignIn => {
  const { platform, account, visitor, loaded } = visit;
  const id = uuidv7(loaded.now) as SignInId;
  const wrappedKey = account === null ? null : loaded.stream(account).dataKey;
  if (account === null || wrappedKey === null) return { id };
  const fields = { address: visitor.address, userAgent: visitor.userAgent.slice(0, longestUserAgent) };
  return { id, personal: sealPersonalOf(deps.sealer, { platform, subject: account, wrappedKey, streamId: id, version: 1, fields }) };
};
