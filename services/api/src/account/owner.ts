import type { AccountId, AccountRecord, PlatformDocument } from '@grantlog/domain';
import { ProblemError, problem } from '@grantlog/protocol';
import type { PlatformNames, SecondFactorProof } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { AccountPassage } from '../access/account-gate.ts';
import { proveAgain } from '../access/prove-again.ts';
import { visitorOf } from '../access/visitor.ts';
import type { Deps } from '../deps.ts';
import { conflicting, type RefusalWords, refusalProblem, unfit } from '../json-api/refusals.ts';
import { emailOf } from '../pages/signed-in.ts';
import { foldAccount, foldPlatform, platformStreams } from '../platforms/load-parties.ts';

/** What is told to who is not, or not any more, the owner that they were let in as. */
export const ownerWords = {
  wrong_password: unfit('The password is wrong'),
  wrong_code: unfit('The code is wrong. Codes change every 30 seconds; the clock of the device has to be right'),
  code_used: unfit('The code was used already. Wait for the next one'),
  changed_meanwhile: conflicting('Something of the account has changed meanwhile. Begin again'),
} as const satisfies Readonly<Record<string, RefusalWords>>;

export const told = (refused: {
  readonly status: 409 | 429;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}): ProblemError => {
  const { status, code, title, detail, headers = {} } = refused;
  return new ProblemError(problem({ status, type: `urn:grantlog:problem:${code}`, title, detail, members: { code } }), {
    reason: code,
    headers,
  });
};

export const tooMany = (retryAfter: number): ProblemError =>
  told({
    status: 429,
    code: 'too_many_attempts',
    title: 'Too many attempts',
    detail: 'Too many attempts have failed. Try again later',
    headers: { 'retry-after': String(retryAfter) },
  });

/** What a body shows once more, beside what it asks for. */
export const shownAgain = {
  password: Type.String({ minLength: 1, maxLength: 1024, description: "The caller's own, as it is good now" }),
  code: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'Of the second factor, where the account has one' })),
};

/** An account that came in, as the log has it now. */
export type PresentAccount = {
  readonly document: PlatformDocument;
  readonly record: AccountRecord;
  readonly email: string;
  readonly version: number;
  readonly now: number;
};

/** @throws ProblemError 409 where the account has been disabled or erased since it was let in. */
export const presentAccount = async (deps: Deps, names: PlatformNames, account: AccountId): Promise<PresentAccount> => {
  const loaded = await deps.log.load(names.platform, [...platformStreams, { streamId: account, withSecrets: true }]);
  const [platform, record] = [foldPlatform(loaded), foldAccount(loaded, account)];
  if (platform.status === 'none' || record?.status !== 'active') throw refusalProblem(ownerWords, 'changed_meanwhile');
  const email = emailOf(deps, loaded, { platform: names.platform, account, record });
  return { document: platform.document, record, email, version: loaded.stream(account).version, now: loaded.now };
};

/**
 * Has who came in prove once more that they are the owner, whatever opened the door: a token may have been stolen.
 *
 * @returns what was proved, unspent, and the version of the account at which it was.
 * @throws ProblemError 422 for what is wrong, 429 after too many attempts.
 */
export const proveOwner = async (
  deps: Deps,
  request: FastifyRequest,
  shown: {
    readonly passage: Pick<AccountPassage, 'names' | 'account' | 'by'>;
    readonly email: string;
    readonly password: string;
    readonly code: string;
  },
): Promise<{ readonly proof: SecondFactorProof | null; readonly version: number }> => {
  const { email, password, code } = shown;
  const { names, account, by } = shown.passage;
  const proved = await proveAgain(deps, names, { account, email, password, code, visitor: visitorOf(request), known: null, by });
  if (proved.outcome === 'too_many_attempts') throw tooMany(proved.retryAfter);
  if (proved.outcome !== 'proved') throw refusalProblem(ownerWords, proved.outcome);
  return proved;
};
