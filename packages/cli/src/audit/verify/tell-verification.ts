import type { LogVerification } from '@grantlog/transparency';

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What a stranger wrote must not steer the terminal. */
const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, '\ufffd');

/** A verification in words, the verdict first. `base` is what positions are above those of the tree. */
export const tellVerification = (found: LogVerification, base: number): readonly string[] => {
  const served =
    'distrusted' in found && found.distrusted !== null ? ['The tiles that were served are not those of the tree that was signed'] : [];
  switch (found.kind) {
    case 'verified':
      return [`Verified: ${found.size} events are those that were signed`, `Root ${hex(found.root)}`, ...served];
    case 'event_differs':
      return [
        `The event at position ${base + found.position} is not the one that was logged`,
        `Its leaf hashes to ${hex(found.found)}; signed was ${hex(found.logged)}`,
      ];
    case 'position_missing':
      return [`The event at position ${base + found.position} is missing, and there are later ones`];
    case 'order':
      return [`After position ${base + found.after} comes position ${base + found.position}: the order is not that of the log`];
    case 'history_differs':
      return [
        `The events after position ${base + found.after} and up to ${base + found.upTo} are not those that were signed`,
        `The first that can be at fault is position ${base + found.after + 1}`,
        ...served,
      ];
    case 'too_short':
      return [
        `There are ${found.size} events, and ${found.expected} were signed: the end is missing from position ${base + found.size + 1} on`,
      ];
    case 'equivocation':
      return [
        `The key has signed two histories: one of ${found.first.size} events with root ${hex(found.first.root)},`,
        `and one of ${found.second.size} events with root ${hex(found.second.root)} that does not begin with it. Keep both checkpoints: they prove it`,
      ];
    case 'checkpoint_refused': {
      const why = {
        malformed: 'it is no checkpoint',
        unsigned: 'the key has not signed it',
        bad_signature: 'its signature does not verify',
        other_origin: 'it is of another log',
      }[found.reason];
      return [`A checkpoint is refused: ${why}`, ...found.signed.split('\n', 3).map((line) => `  ${printable(line)}`)];
    }
  }
};
