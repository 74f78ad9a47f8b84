export { clockAt, positionAt } from './audit-index/zz-temporary.ts';
export { storedEventOf } from './audit-tree/stored-event.ts';
export { tileReaderOf } from './audit-tree/tree-reader.ts';
export { type ClientListQuery, type ClientPage, type ListedClient, listClients } from './client-list/list-clients.ts';
export { listUnusedClients } from './client-list/list-unused-clients.ts';
export { clientList } from './client-list/projection.ts';
export type { ClientListApproval, ClientListStatus } from './client-list/row.ts';
export { type GrantListQuery, type GrantPage, type ListedGrant, listGrants } from './grant-list/list-grants.ts';
export { grantList } from './grant-list/projection.ts';
export type { GrantEnd, GrantListStatus } from './grant-list/row.ts';
export {
  deleteOldCheckpoints,
  ensureGenerations,
  type Generations,
  requestRebuild,
  subscriptionName,
  swapIfCaughtUp,
} from './projection/generations.ts';
export type { Projection, Reducers } from './projection/projection.ts';
export { subscriptionOf } from './projection/subscription-of.ts';
export { livePosition, waitForPosition } from './projection/wait-for-position.ts';
