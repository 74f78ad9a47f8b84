import type { GrantId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type AttemptBudget, giveBackAttempt, type Pool, takeAttempt } from '@grantlog/postgres';
import { ownerOfMemory } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import type { PendingDecision } from './authorization-request.ts';
import { isRemembered, memoryOf } from './consent-memory.ts';
import { decideUnattended, type Unattended } from './decide-request.ts';
import type { ShownConsent } from './show-consent.ts';

/**
 * Grants that an account may be given without being asked. An app that renews silently takes one every few minutes in each of its
 * windows; a page that sends somebody's browser here over and over is stopped by the consent page.
 */
const ofAccount = { capacity: 60, secondsEach: 10 };

const budgetOf = ({ sealer }: Pick<Deps, 'sealer'>, platform: PlatformId, account: string): AttemptBudget => ({
  buckets: [{ key: sealer.mac('unattended grants', new TextEncoder().encode(`${platform} ${account}`)), ...ofAccount }],
  gauge: null,
});

/**
 * Whether a request is one that a person's browser went to, which alone may be answered by a grant: not a picture, a script or a
 * fetch of some page, not what is loaded in case it will be wanted, and not a HEAD. A frame counts where the app asks to have nothing
 * shown, which is how apps renew what they have. A browser that says nothing, or a program, is believed.
 *
 * @see Fetch Metadata Request Headers §2; OIDC Core §3.1.2.1 `prompt`
 */
export const isNavigation = (
  { method, headers }: Pick<FastifyRequest, 'method' | 'headers'>,
  { framed }: { readonly framed: boolean },
): boolean => {
  const {
    'sec-fetch-site': site,
    'sec-fetch-mode': mode,
    'sec-fetch-dest': dest,
    'sec-purpose': purpose,
    purpose: formerPurpose,
  } = headers;
  if (method === 'HEAD' || purpose !== undefined || formerPurpose !== undefined) return false;
  if (site === undefined) return true;
  return mode === 'navigate' && (dest === 'document' || (framed && (dest === 'iframe' || dest === 'frame')));
};

/**
 * Answers a request of somebody who is signed in without asking them, where they have allowed exactly this to a verified client
 * before and that grant still stands: with a grant of its own, at most as many as the account's budget has. Nothing is written
 * where they have to be asked.
 *
 * @throws LogUnavailable
 */
export const answerUnattended = async (
  deps: Deps & { readonly provisioning: { readonly pool: Pool } },
  shown: Pick<ShownConsent, 'names' | 'document' | 'client' | 'signedIn'> & {
    readonly decision: PendingDecision;
    /** Of the person's browser. */
    readonly address: string;
    readonly correlationId: string;
  },
): Promise<Unattended> => {
  const { names, document, client, signedIn, decision: pending, address, correlationId } = shown;
  const { platform } = names;
  const asks = { outcome: 'asks', why: 'consent' } as const;
  const memory = memoryOf(names, signedIn.account, pending.request);
  if (memory === null || pending.request.asksAgain || !isRemembered({ document, client })) return asks;
  const look = async () => {
    const loaded = await deps.log.load(platform, [{ streamId: memory }]);
    return { owner: ownerOfMemory(loaded, memory), now: loaded.now };
  };
  const first = await look();
  if (first.owner === null) return asks;
  const { pool } = deps.provisioning;
  const budget = budgetOf(deps, platform, signedIn.account);
  if ((await takeAttempt(pool, platform, budget, first.now)) > 0) return { outcome: 'asks', why: 'interaction' };
  const signIn = { id: signedIn.id, account: signedIn.account };
  let answer: Unattended = asks;
  // Between the look and the decision it may have been handed on: whoever owns it by now has not been heard yet.
  for (let owner: GrantId | null = first.owner, heard: GrantId | null = null; owner !== null && owner !== heard; ) {
    heard = owner;
    answer = await decideUnattended(deps, names, { pending, signIn, remembered: owner, address, correlationId });
    if (answer.outcome === 'answered') return answer;
    owner = (await look()).owner;
  }
  await giveBackAttempt(pool, platform, budget);
  return answer;
};
