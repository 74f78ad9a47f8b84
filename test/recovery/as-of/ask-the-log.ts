import { accountDecider, clientDecider, grantDecider } from '@grantlog/domain';
import { fold, type StreamId } from '@grantlog/eventsourcing';
import { logAsOf, type Moment, type Pool } from '@grantlog/postgres';
import { loadWithSources } from '../../../services/api/src/delegation/load-with-sources.ts';
import { grantStanding } from '../../../services/api/src/platforms/grant-standing.ts';
import { platformStreams } from '../../../services/api/src/platforms/load-parties.ts';
import type { AccountPicture, ClientPicture, GrantPicture } from './naive-replay.ts';

/** A grant as the code says that it was: the log as of a moment, folded and judged as the present is. */
export const grantThen = async (pool: Pool, moment: Moment, id: StreamId): Promise<GrantPicture> => {
  const loaded = await loadWithSources(logAsOf(pool, moment), moment.platform, {
    requests: [...platformStreams, { streamId: id, follow: true }],
    grants: [id],
  });
  const grant = fold(grantDecider, loaded.stream(id));
  if (grant.status === 'none' || grant.status === 'denied')
    return { status: grant.status, scopes: [], sequence: null, revokedAccess: [], context: null, mayAct: false };
  const { terms } = grant;
  const revoked = grant.status === 'active' ? grant.revokedAccess : [];
  return {
    status: grant.status,
    scopes: terms.scopes,
    sequence: grant.status === 'active' ? grant.current.sequence : null,
    revokedAccess: revoked.flatMap(({ sequence, expiresAt }) => (expiresAt * 1_000 > moment.now ? [sequence] : [])),
    context: grant.context,
    mayAct: grant.status !== 'ended' && grantStanding(loaded, grant) === 'good',
  };
};

export const clientThen = async (pool: Pool, moment: Moment, id: StreamId): Promise<ClientPicture> => {
  const client = fold(clientDecider, (await logAsOf(pool, moment).load(moment.platform, [{ streamId: id }])).stream(id));
  const approval = client.status === 'none' || client.status === 'deleted' ? null : client.approval;
  return { status: client.status, approval };
};

export const accountThen = async (pool: Pool, moment: Moment, id: StreamId): Promise<AccountPicture> => {
  const account = fold(accountDecider, (await logAsOf(pool, moment).load(moment.platform, [{ streamId: id }])).stream(id));
  if (account.status === 'none' || account.status === 'erased') return { status: account.status, roles: [], factors: [] };
  return { status: account.status, roles: account.roles, factors: account.factors.map(({ factor }) => factor).sort() };
};
