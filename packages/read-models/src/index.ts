export { forgetArchived } from './archive/forget-archived.ts';
export { type AuditCount, countAuditEvents, countAuditEventsByType } from './audit-index/count-audit-events.ts';
export type { AddressDigests, SealedAddress } from './audit-index/entry.ts';
export type { AuditFilter } from './audit-index/filter.ts';
export { foldEvents, type Standing } from './audit-index/fold-events.ts';
export { type AuditEntry, type AuditPage, type AuditQuery, listAuditEvents } from './audit-index/list-audit-events.ts';
export { type CausedEvent, listCausedEvents } from './audit-index/list-caused-events.ts';
export { type GrantAsOf, type GrantsAsOf, type GrantsAsOfQuery, listGrantsAsOf } from './audit-index/list-grants-as-of.ts';
export type { AuditOrder } from './audit-index/merge-keys.ts';
export { clockAt, positionAt } from './audit-index/position-at.ts';
export { auditIndex, createAuditIndex } from './audit-index/projection.ts';
export { type AuditEvent, readAuditEvents } from './audit-index/read-audit-events.ts';
export { type PersonalPart, readPersonalParts } from './audit-index/read-personal-parts.ts';
export { streamAuditEvents } from './audit-index/stream-audit-events.ts';
export { eventsOfFilter, excerptedOf, isRange } from './audit-tree/excerpted-events.ts';
export { leavesOf } from './audit-tree/leaves.ts';
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
