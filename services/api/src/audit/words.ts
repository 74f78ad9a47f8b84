import { missing, type RefusalWords, unfit } from '../json-api/refusals.ts';

/** What is told to who asks the audit trail for what it cannot say. */
export const auditWords = {
  unknown_grant: missing('No such grant stood at that moment'),
  unknown_client: missing('No such client stood at that moment'),
  unknown_request: missing('The index has no event of such a request or trace. It follows the log within a second'),
  unknown_account: missing('No such account stood at that moment'),
  unknown_event: missing('No such event is shown here'),
  not_signed_yet: missing('The tree has not been signed so far yet. It is within some seconds of an event'),
  unknown_tile: missing('The tree that is signed has no such tile, at most a narrower one: ask for the width that its size gives'),
  unknown_size: unfit('from and to are sizes of the tree, from at most to, and to at most what is signed'),
  unknown_checkpoint: unfit(
    'checkpoint is the size of a tree that is signed here; one that is larger is of another log, or of this one before a loss',
  ),
  checkpoint_without_proof: unfit('checkpoint goes with format=excerpt'),
  unreadable_id: unfit('An id is not one: they look like 019a3b5c-0000-7000-8000-000000000000'),
  unreadable_address: unfit('ip is no address, neither of IPv4 nor of IPv6'),
  actor_missing: unfit('actorKind goes with actor'),
  unreadable_moment: unfit('at is neither a position, such as 1042, nor a time with its zone, such as 2026-11-07T14:03:00Z'),
  moment_to_come: unfit('at has not been yet: give a position up to the end of the log, or a time that has passed'),
} as const satisfies Readonly<Record<string, RefusalWords>>;
