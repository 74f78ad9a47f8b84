import type { EventLog } from '@grantlog/eventsourcing';
import type { Database, EndpointKey, TurnAnswer } from '@grantlog/postgres';
import type { KeyReading } from '../keys/signing-key.ts';
import { disableEndpoint, warnOfEndpoint } from './change-endpoint.ts';
import type { Health } from './health.ts';
import type { Receiver } from './receiver.ts';
import type { DeliveryRules } from './rules.ts';
import type { Ended } from './turn-context.ts';

export type FollowContext = KeyReading & {
  readonly log: EventLog;
  readonly pool: Database;
  readonly rules: Pick<DeliveryRules, 'failingMs' | 'failingAttempts' | 'warnBeforeMs'>;
  /** `warned`: the endpoint will be disabled within a day unless it answers. */
  readonly onEndpoint: (fate: { readonly fate: 'warned' | 'disabled' } & EndpointKey) => void;
};

type Fate = { readonly disable: 'gone' | 'receiver' | 'unverified' | 'failing' } | { readonly warn: number } | null;

/** What becomes of an endpoint after some attempts. */
export const fateOf = (
  rules: FollowContext['rules'],
  of: { readonly ended: readonly Ended[]; readonly receiver: Receiver; readonly health: Health; readonly answer: TurnAnswer },
): Fate => {
  const { ended, receiver, health, answer } = of;
  const last = ended.find(({ attempt }) => attempt.disable);
  if (last !== undefined) return { disable: last.attempt.record.outcome === 'gone' ? 'gone' : 'receiver' };
  if (!receiver.verified && ended.some(({ delivery, attempt }) => delivery.proves && attempt.record.state === 'failed'))
    return { disable: 'unverified' };
  const { failingSince, failingForMs } = answer;
  if (failingSince === null || failingForMs === null || health.consecutiveFailures < rules.failingAttempts) return null;
  if (failingForMs >= rules.failingMs) return { disable: 'failing' };
  return failingForMs >= rules.failingMs - rules.warnBeforeMs ? { warn: failingSince } : null;
};

/** The event whose telling decided an endpoint's fate: of the attempt that asked for it, else of the last that failed. */
const decisiveOf = (ended: readonly Ended[]): Ended | undefined =>
  ended.find(({ attempt }) => attempt.disable) ?? ended.findLast(({ attempt }) => attempt.record.outcome !== 'delivered') ?? ended.at(-1);

/** Carries out what follows for an endpoint: an event that disables it, or one that warns of that. */
export const followUp = async (context: FollowContext, endpoint: EndpointKey, of: Parameters<typeof fateOf>[1]): Promise<void> => {
  const fate = fateOf(context.rules, of);
  const decisive = decisiveOf(of.ended);
  if (fate === null || decisive === undefined) return;
  const found = { ...endpoint, told: decisive.attempt.position };
  if ('disable' in fate) {
    if (await disableEndpoint(context, { ...found, reason: fate.disable })) context.onEndpoint({ fate: 'disabled', ...endpoint });
  } else if (await warnOfEndpoint(context, { ...found, failingSince: fate.warn })) context.onEndpoint({ fate: 'warned', ...endpoint });
};
