import { satisfies, systemPlatform } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { bearerChallenge, bearerError, type DpopHint, OAuthError, ProblemError, problem } from '@grantlog/protocol';
import type { FastifyRequest } from 'fastify';
import type { LiveToken } from '../access/resolve-access.ts';
import { resolveShown } from '../access/resolve-shown.ts';
import { dpopOf, readShownToken } from '../access/shown-token.ts';
import type { Deps } from '../deps.ts';

/** Who manages: an account of the system platform, or one of its clients by itself. */
export type Operator = {
  readonly id: StreamId;
  readonly roles: readonly string[];
};

const realm = systemPlatform;

/** What operators come for, which is the scope that their token needs. */
export type OperatorNeed = 'manage' | 'audit';

/** The role for every platform, and the one that is narrowed to a single other platform. */
const everywhere = 'operator';
const narrowed = 'operator:';
/** Who reads and changes nothing, for every platform or, narrowed, for one. */
const auditor = 'auditor';

/** Whether an operator may manage a platform. The system platform, where operators are made, takes the role for every platform. */
export const mayManage = (operator: Pick<Operator, 'roles'>, platform: PlatformId): boolean =>
  operator.roles.includes(everywhere) || (platform !== systemPlatform && operator.roles.includes(`${narrowed}${platform}`));

/** Whether an operator may read the audit trail of a platform: who manages it, and its auditors. */
const mayAudit = (operator: Pick<Operator, 'roles'>, platform: PlatformId): boolean =>
  mayManage(operator, platform) ||
  operator.roles.includes(auditor) ||
  (platform !== systemPlatform && operator.roles.includes(`${auditor}:${platform}`));

export const managesEverything = (operator: Pick<Operator, 'roles'>): boolean => operator.roles.includes(everywhere);

/** The refusal of an operator whose roles do not reach; it names the role that would. */
export const roleMissing = (role: string): ProblemError =>
  new ProblemError(
    problem({
      status: 403,
      type: 'urn:grantlog:problem:role_required',
      title: 'A role is missing',
      detail: `This needs the role ${role} on the system platform`,
      members: { code: 'role_required', role },
    }),
    { headers: { 'cache-control': 'no-store' } },
  );

/** The refusal of an operator whose roles do not reach a platform. */
export const roleNeededFor = (platform: PlatformId, need: OperatorNeed = 'manage'): ProblemError => {
  const role = need === 'manage' ? everywhere : auditor;
  return roleMissing(platform === systemPlatform ? role : `${role}:${platform}`);
};

// A token bound to another resource was given to that resource, which could bring it here (RFC 8707 §2).
const isForManagement = (resource: string | null, publicUrl: string): boolean =>
  resource === null || resource === publicUrl || resource === `${publicUrl}/${systemPlatform}/manage`;

// A grant of a person acts with that person's roles, whatever the client could do by itself.
const rolesOf = ({ account, client }: LiveToken): readonly string[] => {
  if (account !== null) return account.status === 'active' ? account.roles : [];
  return client.status === 'active' ? client.roles : [];
};

/**
 * The operator that a living token of the system platform stands for.
 *
 * @throws OAuthError 401 for a token that is not for management, 403 for one without the scope that is needed
 */
export const operatorOf = (
  live: LiveToken,
  { publicUrl, dpop, need = 'manage' }: { readonly publicUrl: string; readonly dpop: DpopHint | undefined; readonly need?: OperatorNeed },
): Operator => {
  const scope = [need];
  const refused = (reason: string): OAuthError =>
    bearerError({ code: 'invalid_token', description: 'The access token is invalid, expired or revoked', reason, realm, scope, dpop });
  if (live.kind !== 'access') throw refused('it is a refresh token');
  if (!isForManagement(live.token.resource, publicUrl)) throw refused('it is for another resource');
  if (!satisfies(live.token.scopes, scope, live.document)) {
    throw bearerError({ code: 'insufficient_scope', description: `The access token lacks the scope ${need}`, realm, scope, dpop });
  }
  return { id: live.grant.terms.account ?? live.grant.terms.client, roles: rolesOf(live) };
};

/**
 * Proves an operator by an access token of the system platform with the scope that is needed.
 *
 * @throws OAuthError with a challenge: 401 for no or no good token, 403 for one without the scope (RFC 6750 §3.1).
 */
export const authenticateOperator = async (
  deps: Pick<Deps, 'directory' | 'log' | 'keys' | 'config' | 'hosts' | 'provisioning'>,
  request: FastifyRequest,
  need: OperatorNeed = 'manage',
): Promise<Operator> => {
  const scope = [need];
  const shown = readShownToken(deps, request);
  if (shown === null) {
    throw new OAuthError('invalid_request', {
      status: 401,
      description: `An access token of the system platform with the scope ${need} is required in the Authorization header`,
      headers: { 'www-authenticate': bearerChallenge({ realm, scope }) },
    });
  }
  const dpop = dpopOf(shown);
  if (shown.token === '') throw bearerError({ code: 'invalid_token', description: 'The access token is malformed', realm, scope, dpop });
  const refused = (reason: string): OAuthError =>
    bearerError({ code: 'invalid_token', description: 'The access token is invalid, expired or revoked', reason, realm, scope, dpop });
  const system = await deps.directory.open(systemPlatform);
  if (system === null) throw refused('there is no system platform yet');
  const { live, refusal } = await resolveShown(deps, system, shown);
  if (live === null) throw bearerError({ ...refusal, realm, scope });
  return operatorOf(live, { publicUrl: deps.config.publicUrl, dpop, need });
};

/**
 * Proves an operator who may manage a platform, or read its audit trail.
 *
 * @throws ProblemError 403 that names the role needed.
 * @throws OAuthError as {@link authenticateOperator}
 */
export const requireOperator = async (
  deps: Pick<Deps, 'directory' | 'log' | 'keys' | 'config' | 'hosts' | 'provisioning'>,
  request: FastifyRequest,
  platform: PlatformId,
  need: OperatorNeed = 'manage',
): Promise<Operator> => {
  const operator = await authenticateOperator(deps, request, need);
  const may = need === 'manage' ? mayManage : mayAudit;
  if (!may(operator, platform)) throw roleNeededFor(platform, need);
  return operator;
};
