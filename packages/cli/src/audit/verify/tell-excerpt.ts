import type { Checkpoint, ExcerptFault, ExcerptMisfit, ExcerptVerification } from '@grantlog/transparency';
import { hex, tellVerification } from './tell-verification.ts';

/** What is at fault with a line, after "Line 7:". */
const faults: Readonly<Record<ExcerptFault, string>> = {
  no_head: 'it is no head of an excerpt of the form grantlog/v1',
  malformed: 'it is no line of an excerpt, or not spelled as one',
  too_long: 'it is longer than any event',
  order: 'it is not what comes next: something is missing, doubled or moved',
  beyond_checkpoint: 'it goes beyond what the checkpoint covers',
  not_json: 'its event is no JSON',
  other_format: 'its event is of a form that this version does not know',
  not_canonical: 'its event is not spelled as it was logged',
  other_platform: 'its event is of another platform than the excerpt',
  personal_differs: 'the personal data beside its event is not that which was logged',
  hash_count: 'it has not as many hashes as the part that it skips',
  too_short: 'the excerpt ends before it has come to what the checkpoint covers',
  event_count: 'the excerpt has another number of events than it says at its end',
  cut_off: 'the file was cut off: its last line is missing',
  after_end: 'it comes after the end of the excerpt',
};

const tellMisfit = ({ line, after, position, fault }: Extract<ExcerptMisfit, { readonly kind: 'misfit' }>): readonly string[] => [
  `Line ${line}${position === null ? '' : `, of position ${position},`} does not fit: ${faults[fault]}`,
  ...(fault === 'no_head' ? [] : [`The lines before it lead up to position ${after}`]),
];

const sizes = (checkpoints: readonly Checkpoint[]): string => checkpoints.map(({ size }) => size).join(', ');

const tellCompared = (compared: readonly Checkpoint[], uncompared: readonly Checkpoint[]): readonly string[] => [
  ...(compared.length === 0 ? [] : [`It fits the checkpoints that you kept of ${sizes(compared)} events`]),
  ...(uncompared.length === 0
    ? []
    : [
        `Not compared with the checkpoints of ${sizes(uncompared)} events, which it skips or does not reach`,
        'Ask for the excerpt with checkpoint=<events> of each, and once more when more is signed',
      ]),
];

/** The verification of an excerpt in words, the verdict first. */
export const tellExcerpt = (found: ExcerptVerification): readonly string[] => {
  switch (found.kind) {
    case 'verified': {
      const { head, checkpoint, events, compared, uncompared } = found;
      return [
        `Verified: the ${events} events that it holds are among the ${checkpoint.size} that were signed`,
        `Root ${hex(checkpoint.root)}, signed as ${checkpoint.origin}`,
        events === checkpoint.size
          ? `It holds every event up to position ${head.base + events}`
          : `It says that it has what fits ${JSON.stringify(head.about).slice(0, 500)}; that nothing of it was left out, it cannot prove`,
        ...tellCompared(compared, uncompared),
      ];
    }
    case 'misfit':
      return tellMisfit(found);
    case 'event_differs':
      return [
        `Line ${found.line}: the event at position ${found.position} is not the one that was logged`,
        `Its leaf hashes to ${hex(found.found)}; ${found.isSigned ? 'signed was' : 'beside it stands'} ${hex(found.logged)}`,
      ];
    case 'history_differs':
      return [
        `Between the positions ${found.after + 1} and ${found.upTo} something is not as it was signed: an event, or a hash of what is skipped`,
      ];
    case 'equivocation':
    case 'checkpoint_refused':
      return tellVerification(found, 0);
  }
};
