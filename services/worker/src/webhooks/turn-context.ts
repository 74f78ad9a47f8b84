import type { EndpointKey, TakenDelivery, TurnAnswer } from '@grantlog/postgres';
import type { Desk } from './desk.ts';
import type { Health } from './health.ts';
import type { Receiver } from './receiver.ts';
import type { DeliveryRules } from './rules.ts';
import type { Attempt } from './send.ts';
import type { Slots } from './slots.ts';

/** What a turn is made with. Each function names the endpoint, for a turn knows nothing but its own. */
export type TurnContext = {
  readonly desk: Desk;
  readonly slots: Slots;
  readonly rules: DeliveryRules;
  /** The endpoint as it is right now; null when it must not be spoken to. */
  readonly open: (endpoint: EndpointKey) => Promise<Receiver | null>;
  /** Null where it was not sent because too much else was under way. */
  readonly send: (receiver: Receiver, delivery: TakenDelivery) => Promise<Attempt | null>;
  /** Before outcomes are recorded: what has to stand even where the record of it is lost. */
  readonly beforeRecord: (endpoint: EndpointKey, of: { readonly receiver: Receiver; readonly provedBy: Ended | null }) => Promise<void>;
  /** After outcomes are recorded: what follows for the endpoint. */
  readonly afterRecord: (
    endpoint: EndpointKey,
    of: { readonly ended: readonly Ended[]; readonly receiver: Receiver; readonly health: Health; readonly answer: TurnAnswer },
  ) => Promise<void>;
  readonly onAttempt: (ended: Ended) => void;
  /** Something was in our own way, and not in the receiver's: too much else under way, or what cannot be opened or found. */
  readonly onCrowded: () => void;
  readonly onTrouble: (error: unknown) => void;
  /** Attempts of a former turn of which nobody knows how they ended. */
  readonly onLost: (attempts: number) => void;
  readonly onError: (error: unknown) => void;
  /** Whether the process is ending: finish what is begun and begin nothing. */
  readonly stopping: () => boolean;
};

/** An attempt that ended, the delivery it was of, and the URL that it went to. */
export type Ended = { readonly delivery: TakenDelivery; readonly attempt: Attempt; readonly url: string };
