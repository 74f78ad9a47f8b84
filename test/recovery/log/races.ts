import type { AccountEvent, ClientEvent, PlatformEvent } from '@grantlog/domain';
import { platformStream } from '@grantlog/domain';
import type { EventLog, PlatformId, StreamId } from '@grantlog/eventsourcing';
import {
  commitFacts,
  configured,
  type Grant,
  type Issued,
  newGrant,
  newParties,
  openingOf,
  type Parties,
  redeemCode,
  refreshGrant,
  registeredAccount,
  registeredClient,
} from './grants.ts';

/** What ends everybody's access at once, and on whose stream it stands. */
export const endings = {
  'client.disabled': 'client',
  'account.disabled': 'account',
  'platform.suspended': 'platform',
  'client.grants_revoked': 'client',
  'account.grants_revoked': 'account',
  'platform.grants_revoked': 'platform',
} as const;

export type Ending = keyof typeof endings;

/** Where the ending stands, and what the racers were given. */
export type Round = {
  readonly ending: Ending;
  readonly position: number;
  readonly grants: readonly Grant[];
  readonly issued: number;
  readonly refused: number;
};

const reason = 'race';
const factOf = (ending: Ending): ClientEvent | AccountEvent | PlatformEvent => ({ type: ending, data: { reason } });

const streamOf = (ending: Ending, parties: Parties): StreamId => {
  switch (endings[ending]) {
    case 'client':
      return parties.client;
    case 'account':
      return parties.account;
    case 'platform':
      return platformStream;
  }
};

/** Appends on the stream's current version, whatever that is: nobody else's business to lose. */
const appendAtOnce = async (
  log: EventLog,
  platform: PlatformId,
  streamId: StreamId,
  event: ReturnType<typeof factOf> | PlatformEvent,
): Promise<number> => {
  for (;;) {
    const { version } = (await log.load(platform, [{ streamId }])).stream(streamId);
    const result = await log.append(platform, commitFacts([{ streamId, expected: version, events: [event] }]));
    if (result.outcome === 'appended') return result.position;
  }
};

/** Refreshes as fast as it can, until it is refused. */
const refreshOn = async (log: EventLog, platform: PlatformId, grant: Grant): Promise<readonly Issued[]> => {
  const answers: Issued[] = [];
  for (let sequence = 1; sequence <= 12; sequence += 1) {
    const answer = await refreshGrant(log, platform, grant, { sequence, retrySeconds: 60 });
    answers.push(answer);
    if ('refusal' in answer) break;
  }
  return answers;
};

const lastTurns = async (turns: number): Promise<void> => {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/**
 * One race: two grants are refreshed over and over and one code is redeemed, by two processes, while a third party ends it all.
 * The platform goes on afterwards, for the next round.
 */
export const race = async (round: {
  readonly logs: readonly [EventLog, EventLog, EventLog];
  readonly platform: PlatformId;
  readonly ending: Ending;
  /** How long the ending lets the others run ahead, in turns of the event loop. */
  readonly headStart: number;
}): Promise<Round> => {
  const { logs, platform, ending, headStart } = round;
  const parties = newParties();
  const [first, second, code] = [newGrant(parties), newGrant(parties), newGrant(parties)];
  await logs[2].append(
    platform,
    commitFacts([
      { streamId: parties.client, expected: 0, events: [registeredClient()] },
      { streamId: parties.account, expected: 0, events: [registeredAccount()] },
      ...[first, second, code].map((grant) => ({ streamId: grant.id, expected: 0, events: openingOf(parties, grant !== code) })),
    ]),
  );
  const end = async (): Promise<number> => {
    await lastTurns(headStart);
    return appendAtOnce(logs[2], platform, streamOf(ending, parties), factOf(ending));
  };
  const redeemLate = async (): Promise<readonly Issued[]> => {
    await lastTurns(headStart);
    return [await redeemCode(logs[1], platform, code)];
  };
  const [position, ...answers] = await Promise.all([
    end(),
    refreshOn(logs[0], platform, first),
    refreshOn(logs[1], platform, second),
    redeemLate(),
  ]);
  if (ending === 'platform.suspended') await appendAtOnce(logs[2], platform, platformStream, { type: 'platform.resumed', data: {} });
  const outcomes = answers.flat();
  const issued = outcomes.filter((outcome) => 'sequence' in outcome).length;
  return { ending, position, grants: [first, second, code], issued, refused: outcomes.length - issued };
};

/** A platform in which races may be held, one after another. */
export const configure = async (log: EventLog, platform: PlatformId): Promise<void> => {
  await log.append(platform, commitFacts([{ streamId: platformStream, expected: 0, events: [configured()] }]));
};
