export type { Pool } from 'pg';
export { type ArchivedLeaf, createLeafBlocks, readArchivedLeaves, writeArchivedLeaves } from './archive/archived-leaves.ts';
export { type Archive, archivesOf, type KeptArchive, listArchives } from './archive/archives.ts';
export { detachMonth, MonthNotDetached, type MonthPart, removeRemains } from './archive/detach-month.ts';
export { type Month, monthOf, parseMonth } from './archive/month.ts';
export { hasMonth, namedByLaterGrants, platformsOfMonth, readMonth, readMonthByStream } from './archive/read-month.ts';
export { type BasicUse, countBasicUse, resetBasicUse } from './attempts/basic-use.ts';
export { type AttemptBucket, type AttemptBudget, deleteIdleAttemptBuckets, giveBackAttempt, takeAttempt } from './attempts/take-attempt.ts';
export {
  type AuditTree,
  readAuditTile,
  readAuditTree,
  readLineage,
  type WrittenTile,
  writeAuditTree,
} from './audit-tree/audit-tree.ts';
export { type AuditCheckpoint, insertAuditCheckpoint, listAuditCheckpoints, readAuditCheckpoint } from './audit-tree/checkpoints.ts';
export { type ClaimedWitness, claimWitness, ensureWitnesses } from './audit-tree/claim-witness.ts';
export { insertAuditCosignature, readCosignedNote, readWitnessedCheckpoint } from './audit-tree/cosignatures.ts';
export { countWitnesses, listWitnesses, type WitnessStanding, type WitnessState, witnessStates } from './audit-tree/list-witnesses.ts';
export { recordWitness, type WitnessRecord } from './audit-tree/record-witness.ts';
export type { DatabaseRole, PoolOptions } from './connection/pool.ts';
export { createPool } from './connection/pool.ts';
export { transaction } from './connection/transaction.ts';
export { blankResponses } from './deliveries/blank-responses.ts';
export type { Database, Transaction } from './deliveries/database.ts';
export {
  type DeliveryState,
  type EndpointKey,
  type EndpointLane,
  firstLane,
  type Lane,
  lanes,
  type NewDelivery,
  type NewMessage,
  retryLane,
  revocationLane,
} from './deliveries/delivery.ts';
export type { DeliverySummary } from './deliveries/delivery-summary.ts';
export {
  type Affected,
  concernedByAccount,
  type DueGrant,
  deleteLiveGrants,
  findLiveGrants,
  type LiveGrant,
  listGrantsToExpire,
  postponeExpiry,
  takeAffectedGrants,
  upsertLiveGrants,
} from './deliveries/dispatch-grants.ts';
export {
  type DueSession,
  listSessionsToExpire,
  type PendingSession,
  postponeSession,
  trackSessions,
} from './deliveries/dispatch-sessions.ts';
export { type EndpointHealth, readEndpointHealth, resetHealth } from './deliveries/endpoint-health.ts';
export {
  type EndpointRoute,
  readNarrowRoutes,
  readRoute,
  readRoutes,
  readRoutesVersion,
  upsertRoute,
} from './deliveries/endpoint-routes.ts';
export type { Feed, FeedAudience, FeedPlace } from './deliveries/feed.ts';
export { feedsWithNews } from './deliveries/feeds-with-news.ts';
export { type FeedCursor, type FoundPlace, findFeedPlace } from './deliveries/find-feed-place.ts';
export { type FirstEvent, readFirstEvents } from './deliveries/first-events.ts';
export { insertDeliveries } from './deliveries/insert-deliveries.ts';
export { insertMessages } from './deliveries/insert-messages.ts';
export { readSubscriptionLag, type SubscriptionLag } from './deliveries/lag.ts';
export { type DeliveryCursor, type DeliveryFilter, listDeliveries } from './deliveries/list-deliveries.ts';
export { listDeliveriesOf } from './deliveries/list-deliveries-of.ts';
export { maintainPartitions } from './deliveries/partitions.ts';
export { abandonOldHeld, readHeld, type Settled, settlePolled } from './deliveries/polled.ts';
export { type DeliveryDetail, readDelivery } from './deliveries/read-delivery.ts';
export { type FeedMessage, type FeedPage, readFeed } from './deliveries/read-feed.ts';
export { type Message, readMessages } from './deliveries/read-messages.ts';
export {
  type AttemptOutcome,
  type AttemptRecord,
  type HealthChange,
  recordAttempts,
  type TurnAnswer,
  type TurnReport,
} from './deliveries/record-attempts.ts';
export { redeliver } from './deliveries/redeliver.ts';
export { type Supersession, supersedeDeliveries } from './deliveries/supersede-deliveries.ts';
export { abandonDeliveries, holdPending, listDueLanes, releaseHeld } from './deliveries/sweep.ts';
export { type Take, type Taken, type TakenDelivery, takeDeliveries } from './deliveries/take-deliveries.ts';
export { readWaiting, type Waiting } from './deliveries/waiting.ts';
export { forgetProofs, type ProofUse, spendProof } from './dpop/spend-proof.ts';
export { appendBatch } from './log/append-batch.ts';
export { classifyFailure } from './log/failures.ts';
export { loadBatch, type RawStream, streamKey } from './log/load-batch.ts';
export { logAsOf, type Moment } from './log/log-as-of.ts';
export { createNotifier, toldChannel } from './log/notifier.ts';
export type { PostgresEventLogOptions } from './log/postgres-event-log.ts';
export { createPostgresEventLog } from './log/postgres-event-log.ts';
export { readEventAt, readEventsAfter, readHead, readStream, readStreamEvent } from './log/read-events.ts';
export { readEventsAt } from './log/read-events-at.ts';
export { LogOutOfOrder, readOn, readStretch, type Stretch } from './log/read-on.ts';
export { readVersions } from './log/read-versions.ts';
export { firstRecordedAfter, latestRecorded } from './log/recorded-times.ts';
export type { SnapshotSealer } from './log/snapshot-mac.ts';
export { isGenuine } from './log/snapshot-mac.ts';
export { type ClaimedLogout, claimLogouts, receiverName } from './logout/claim-logouts.ts';
export { clientsOfSignIns, type EndedSignIns, endSignIns } from './logout/end-sign-ins.ts';
export { deleteOldLogouts, type LogoutOutcome, recordLogout } from './logout/record-logout.ts';
export { deleteOldSignInClients, noteSignInClients, type SignInClient } from './logout/sign-in-clients.ts';
export { type ClaimedMail, claimMail, isMailDue } from './mail/claim-mail.ts';
export { deleteMailOf, deleteOldMail } from './mail/forget-mail.ts';
export { giveUpMail } from './mail/give-up-mail.ts';
export { insertMail, type NewMail } from './mail/insert-mail.ts';
export { listMail, type MailState, type StoredMail } from './mail/list-mail.ts';
export { keepMail, type MailOutcome, recordMail } from './mail/record-mail.ts';
export { createDatabase } from './migrations/create-database.ts';
export { MigrationChanged, migrate } from './migrations/migrate.ts';
export { RolesMissing } from './migrations/roles.ts';
export { listPlatforms, openLog } from './platforms/logs.ts';
export {
  deleteExpiredPushedRequests,
  insertPushedRequest,
  type PushedRequest,
  readPushedRequest,
} from './pushed-requests/pushed-requests.ts';
export { advanceRecovery } from './recoveries/advance-recovery.ts';
export { cancelRecoveries } from './recoveries/cancel-recoveries.ts';
export { deliverAgain } from './recoveries/deliver-again.ts';
export { insertRecovery } from './recoveries/insert-recovery.ts';
export { firstPositionSince, type KeptPlace, lastPositionUntil, readEventTime, readOldestMessage } from './recoveries/kept-messages.ts';
export { listRecoveries } from './recoveries/list-recoveries.ts';
export { listRunningRecoveries } from './recoveries/list-running-recoveries.ts';
export { type HeardMessage, readHeardMessages } from './recoveries/read-heard-messages.ts';
export type { Recovery, RecoveryKey } from './recoveries/recovery.ts';
export { takeRecovery } from './recoveries/take-recovery.ts';
export type { NewCredential } from './secrets/credentials.ts';
export { insertCredentials, insertDataKey } from './secrets/credentials.ts';
export { deleteDataKeys } from './secrets/delete-data-key.ts';
export { deleteForgottenDataKeys, forgetUnlinkedSessions } from './secrets/forget-data-keys.ts';
export { holdDataKeys } from './secrets/hold-data-keys.ts';
export { subjectsOfAccounts } from './secrets/subjects-of-accounts.ts';
export type { NewSnapshot } from './stream-state/snapshots.ts';
export { snapshotVersions, upsertSnapshots } from './stream-state/snapshots.ts';
export { ensureSubscriptions } from './subscriptions/claim.ts';
export type { ConsumeOutcome } from './subscriptions/consume.ts';
export { consumeOnce } from './subscriptions/consume.ts';
export { listenTo } from './subscriptions/listen.ts';
export { createReadAhead, type ReadAhead } from './subscriptions/read-ahead.ts';
export type { RunnerOptions } from './subscriptions/runner.ts';
export { runSubscriptions } from './subscriptions/runner.ts';
export type { Subscription, SubscriptionBatch } from './subscriptions/subscription.ts';
export type { ConnectionStep, ConnectionStepName, KeptConnectionStep } from './traces/connection-step.ts';
export { deleteOldConnectionSteps, insertConnectionSteps } from './traces/insert-steps.ts';
export { listConnectionBeginnings, listConnectionSteps } from './traces/list-steps.ts';
