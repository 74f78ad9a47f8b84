import { randomUuid, uuidv7 } from '@grantlog/crypto';
import type { AccountId, SignInFailure, SignInId, SignInVia } from '@grantlog/domain';
import { accountDecider, platformStream, signInDecider, standing } from '@grantlog/domain';
import type { CommitId, Loaded, Plan, PlatformId } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { type By, commitOn, sealPersonalOf } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { secondStepOf } from './second-step-of.ts';

/** Who tried, as far as the request says it. Personal data: it enters the log only sealed under the account's key. */
export type Visitor = { readonly address: string; readonly userAgent: string };

const longestUserAgent = 256;

/** The visitor sealed for the first event of a stream; nothing where the account has no data key any more. */
export const sealVisitor = (
  deps: Pick<Deps, 'sealer'>,
  visit: {
    readonly platform: PlatformId;
    readonly account: AccountId;
    readonly wrappedKey: Uint8Array | null;
    readonly streamId: SignInId;
    readonly visitor: Visitor;
  },
): { readonly personal?: Uint8Array } => {
  const { platform, account, wrappedKey, streamId, visitor } = visit;
  if (wrappedKey === null) return {};
  const fields = { address: visitor.address, userAgent: visitor.userAgent.slice(0, longestUserAgent) };
  return { personal: sealPersonalOf(deps.sealer, { platform, subject: account, wrappedKey, streamId, version: 1, fields }) };
};

/**
 * Records that an attempt failed, on a stream of its own. The email that was typed is not in it.
 *
 * Anybody can cause this write. It is bounded all the same: only attempts that were let through are recorded, and what
 * they took from their buckets stays taken.
 *
 * @param failure.loaded with the account's secrets, where there is an account.
 */
export const recordFailure = async (
  deps: Pick<Deps, 'log' | 'sealer'>,
  by: By,
  failure: {
    readonly platform: PlatformId;
    readonly account: AccountId | null;
    readonly reason: SignInFailure;
    readonly via: SignInVia;
    readonly visitor: Visitor;
    readonly loaded: Loaded;
  },
): Promise<void> => {
  const { platform, account, reason, via, loaded, visitor } = failure;
  const streamId = uuidv7(loaded.now) as SignInId;
  const { events } = signInDecider.decide({ type: 'fail', account, reason, via }, signInDecider.initial);
  const wrappedKey = account === null ? null : loaded.stream(account).dataKey;
  const personal = account === null ? {} : sealVisitor(deps, { platform, account, wrappedKey, streamId, visitor });
  await deps.log.append(platform, {
    commitId: randomUuid() as CommitId,
    writes: [{ streamId, expected: 0, events: events.map((event) => ({ ...event, ...personal })) }],
    reads: [],
    actor: by.actor,
    correlationId: by.correlationId,
  });
};

/**
 * Records a sign-in, unless account or platform changed since its proof was checked: then null.
 *
 * @param proved.checked the load in which the proof was judged, with the account's secrets.
 * @param proved.amr how the person proved who they are (RFC 8176).
 */
export const recordSignIn = async (
  deps: Pick<Deps, 'log' | 'sealer'>,
  proved: {
    readonly platform: PlatformId;
    readonly account: AccountId;
    readonly checked: Loaded;
    readonly amr: readonly string[];
    readonly visitor: Visitor;
    readonly correlationId: string;
  },
): Promise<SignInId | null> => {
  const { platform, account: accountId, checked, visitor } = proved;
  const { version, dataKey: wrappedKey } = checked.stream(accountId);
  const id = uuidv7(checked.now) as SignInId;
  const personal = sealVisitor(deps, { platform, account: accountId, wrappedKey, streamId: id, visitor });
  const { outcome } = await execute({
    log: deps.log,
    platform,
    requests: [...platformStreams, { streamId: accountId }, { streamId: id }],
    decide: (loaded): Plan<SignInId | null> => {
      const account = fold(accountDecider, loaded.stream(accountId));
      const platformState = foldPlatform(loaded);
      const stands = standing({ firstPosition: null, platform: platformState, client: null, account });
      // Another version may have another password or another factor: the check was of the one before.
      if (stands !== 'good' || loaded.stream(accountId).version !== version) return { commit: null, outcome: null };
      // Whoever forgot to ask for a second factor gets nobody past here.
      if (account.status !== 'active' || platformState.status !== 'active' || secondStepOf(platformState.document, account) !== 'nothing')
        return { commit: null, outcome: null };
      const { events } = signInDecider.decide(
        { type: 'succeed', account: accountId, method: 'password', amr: proved.amr },
        fold(signInDecider, loaded.stream(id)),
      );
      const by = { actor: { kind: 'account', id: accountId }, correlationId: proved.correlationId } as const;
      const writes = [{ streamId: id, events: events.map((event) => ({ ...event, ...personal })) }];
      return { commit: commitOn(loaded, by, { writes, reads: [platformStream, accountId] }), outcome: id };
    },
  });
  return outcome;
};
