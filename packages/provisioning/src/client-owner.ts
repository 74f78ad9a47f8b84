import type { AccountId, ClientRecord, ClientState } from '@grantlog/domain';

/** Whether a client is there and was registered by this account. A deleted one is nobody's. */
export const isOwnedBy = (client: ClientState, owner: AccountId): client is Extract<ClientState, ClientRecord> =>
  (client.status === 'active' || client.status === 'disabled') && client.owner === owner;
