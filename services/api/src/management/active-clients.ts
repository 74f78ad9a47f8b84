import type { AccountId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { readHead } from '@grantlog/postgres';
import { listClients } from '@grantlog/read-models';
import Type, { type Static } from 'typebox';
import { changed, nullable } from '../json-api/schemas.ts';
import type { ManagementDeps } from './management-deps.ts';

/** What a command answers that ends what an account may do, and not what the clients may that it registered. */
export const changedOwner = Type.Object({
  ...changed.properties,
  activeClients: Type.Array(Type.String(), {
    description: 'Ids of the clients that the account registered as a developer and that go on, newest first',
  }),
  notice: nullable(Type.String({ description: 'Says that these clients go on, and how to stop them' })),
});

const noticeOf = (platform: PlatformId, owner: AccountId, found: { readonly some: boolean; readonly current: boolean }): string | null => {
  const goOn = 'The clients in activeClients, which this account registered, go on';
  const disable = `Disable each with POST /${platform}/manage/clients/{clientId}/disable`;
  if (found.current) return found.some ? `${goOn}. ${disable}` : null;
  const late = `The list of clients lags behind: see GET /${platform}/manage/clients?owner=${owner} for others`;
  return found.some ? `${goOn}. ${disable}. ${late}` : `Clients that this account registered go on. ${late}. ${disable}`;
};

/** The clients of a developer that act, as operators have to know of them who take away the developer's own access. */
export const activeClientsOf = async (
  deps: Pick<ManagementDeps, 'pool'>,
  developer: { readonly platform: PlatformId; readonly account: AccountId },
): Promise<Pick<Static<typeof changedOwner>, 'activeClients' | 'notice'>> => {
  const { platform, account } = developer;
  const minPosition = await readHead(deps.pool, platform);
  // More than anybody may register.
  const page = await listClients(deps.pool, { platform, owner: account, status: 'active', approval: 'approved', limit: 200, minPosition });
  const activeClients = page.clients.map(({ clientId }) => clientId);
  return { activeClients, notice: noticeOf(platform, account, { some: activeClients.length > 0, current: page.current }) };
};
