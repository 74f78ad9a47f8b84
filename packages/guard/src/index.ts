export { createGuard, type Guard, type GuardedRequest, type GuardRequest } from './guard.ts';
export type { GuardOptions } from './options.ts';
export type { Allowed, GuardOutcome, HeaderList, RefusalBody, RefusalStatus, Refused } from './outcome.ts';
export type { GuardProblem, OnProblem } from './problem.ts';
export type { SpendProof, UsedProof } from './proof-memory.ts';
export type { PublishedMetadata } from './published-metadata.ts';
export type { ContextRefusal, ContextSelected } from './select-context.ts';
