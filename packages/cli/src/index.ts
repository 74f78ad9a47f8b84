export { type Command, type CommandIo, dispatch, UsageError } from './command.ts';
export { findRedis, type RunningRedis, startRedis } from './embedded/redis.ts';
export { removeEmbeddedPostgres } from './embedded/remove-embedded-postgres.ts';
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded/start-embedded-postgres.ts';
export { Problem } from './problem.ts';
export { createFormBrowser, decideAs, type FormBrowser, type PageVisit } from './demo/form-browser.ts';
export { startWebhookReceiver } from './demo/webhook-receiver.ts';
export type { Demo, DemoPlatform, Seed } from './seed/contract.ts';
export { seed } from './seed/index.ts';
