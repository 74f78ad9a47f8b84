export type { Decider, Decision, Placed } from './decider.ts';
export { record, refuse } from './decider.ts';
export type { Actor, DomainEvent, JsonObject, JsonValue, Placement, RecordedEvent, SealedPersonal } from './event.ts';
export type {
  Appended,
  AppendResult,
  Commit,
  EventLog,
  Loaded,
  LoadedStream,
  LoadRequest,
  NewEvent,
  SealedCredential,
} from './event-log.ts';
export { LogUnavailable, RejectedByDatabase, UnknownPlatform } from './event-log.ts';
export type { Executed, Plan } from './execute.ts';
export { execute } from './execute.ts';
export { fold } from './fold.ts';
export type { Brand, CommitId, PlatformId, StreamId } from './ids.ts';
export { specification } from './specification.ts';
