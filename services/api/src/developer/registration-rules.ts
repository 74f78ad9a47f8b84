import type { AccountId, PlatformDocument, PlatformGrantType } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type Pool, readHead } from '@grantlog/postgres';
import { ProblemError, problem } from '@grantlog/protocol';
import { listClients } from '@grantlog/read-models';
import { conflicting, refusalProblem } from '../json-api/refusals.ts';
import { invalidContents } from '../json-api/validate.ts';
import { ownResourcesOf } from '../platforms/own-resources.ts';

/** Clients of one account, and those of them that wait for an operator. */
const clientLimit = 20;
const pendingLimit = 5;

const words = {
  too_many_clients: conflicting(`An account has at most ${clientLimit} clients: delete one that is not used any more`),
  too_many_pending: conflicting(`At most ${pendingLimit} clients of an account wait for approval at a time`),
} as const;

/**
 * How a client that a developer registers begins.
 *
 * @throws ProblemError 403 where the platform lets nobody register clients by themselves.
 */
export const approvalAtRegistration = ({ registration }: PlatformDocument): 'pending' | 'approved' => {
  if (registration.policy.includes('approval')) return 'pending';
  if (registration.policy.includes('open')) return 'approved';
  throw new ProblemError(
    problem({
      status: 403,
      type: 'urn:grantlog:problem:registration_closed',
      title: 'Registration is closed',
      detail: 'On this platform clients are registered by its operator alone',
      members: { code: 'registration_closed' },
    }),
    { headers: { 'cache-control': 'no-store' } },
  );
};

/**
 * Keeps one account from filling the operators' list. A soft limit: the list that is counted follows the log by
 * milliseconds, so registrations sent at the same time may all get through. Nothing that is granted depends on it.
 *
 * @throws ProblemError 409
 */
export const checkClientLimits = async (pool: Pool, developer: { readonly platform: PlatformId; readonly account: AccountId }) => {
  const { platform, account } = developer;
  const minPosition = await readHead(pool, platform);
  const { clients } = await listClients(pool, { platform, owner: account, limit: clientLimit, minPosition });
  if (clients.length >= clientLimit) throw refusalProblem(words, 'too_many_clients');
  if (clients.filter(({ approval }) => approval === 'pending').length >= pendingLimit) throw refusalProblem(words, 'too_many_pending');
};

/**
 * What a client gets that names no scopes: all of the platform's but those that open this server's own settings, spelled
 * out, so that an operator approves what is there now and not what may be added later.
 */
export const usualScopes = (document: PlatformDocument, issuer: string): readonly string[] => {
  const own = new Set(ownResourcesOf(document, issuer).flatMap(({ scopes }) => scopes));
  return document.scopes.map(({ name }) => name).filter((name) => !own.has(name));
};

/** What a client gets that names no grant types: those of people. */
export const usualGrantTypes = (document: PlatformDocument): readonly PlatformGrantType[] =>
  document.grantTypes.filter((type) => type !== 'client_credentials');

/** @throws ProblemError 400 for grant types that the platform does not use. */
export const checkGrantTypes = (grantTypes: readonly PlatformGrantType[], document: PlatformDocument): void => {
  const problems = grantTypes.flatMap((type, index) =>
    document.grantTypes.includes(type)
      ? []
      : [{ path: `grantTypes[${index}]`, problem: 'is not used by this platform', fix: `Choose from ${document.grantTypes.join(', ')}.` }],
  );
  if (problems.length > 0) throw invalidContents('list of grant types', problems);
};
