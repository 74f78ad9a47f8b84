import type { LeafRefusal } from '../read-leaf.ts';
import type { Equivocation } from '../trusted-checkpoints.ts';

/** Why a line is not one of the excerpt that was written. */
export type ExcerptFault =
  /** The first line is no head of an excerpt of this format. */
  | 'no_head'
  /** It is no line of this format, or not in its one spelling. */
  | 'malformed'
  | 'too_long'
  /** It is of a later place than comes next, so something before it is missing, or of an earlier one. */
  | 'order'
  /** It goes beyond the checkpoint's size. */
  | 'beyond_checkpoint'
  /** The leaf of the event is none. */
  | LeafRefusal
  | 'other_platform'
  /** The sealed data beside the event is not that which its digest is of. */
  | 'personal_differs'
  /** A skip has more or fewer hashes than its leaves make subtrees. */
  | 'hash_count'
  /** The excerpt ends before it has come to the checkpoint's size. */
  | 'too_short'
  /** The excerpt ends with another number of events than it says. */
  | 'event_count'
  /** There is no last line, or only the beginning of it. */
  | 'cut_off'
  | 'after_end';

/** What is wrong with an excerpt. Positions are those of the log. */
export type ExcerptMisfit =
  /** This line does not fit after what leads up to the position `after`. `position` is that of the line, as far as it tells. */
  | {
      readonly kind: 'misfit';
      readonly line: number;
      readonly after: number;
      readonly position: number | null;
      readonly fault: ExcerptFault;
    }
  /** The event is not the one whose hash stands beside it. Where `isSigned`, it is proved that this hash is the one that was logged. */
  | {
      readonly kind: 'event_differs';
      readonly line: number;
      readonly position: number;
      readonly logged: Uint8Array;
      readonly found: Uint8Array;
      readonly isSigned: boolean;
    }
  /** Something differs after the one position and up to the other, an event or the hashes of a skip: more exactly nothing tells. */
  | { readonly kind: 'history_differs'; readonly after: number; readonly upTo: number }
  | Equivocation;
