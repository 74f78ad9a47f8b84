import { isDeepStrictEqual } from 'node:util';
import { createSealer, mintToken } from '@grantlog/crypto';
import { foldVersion, type GrantId, type GrantTerms, type Issue, keyRingDecider, keyRingStream } from '@grantlog/domain';
import { fold, type PlatformId, type RecordedEvent, type StreamId } from '@grantlog/eventsourcing';
import {
  createDatabase,
  createPool,
  createPostgresEventLog,
  logAsOf,
  type Moment,
  migrate,
  type Pool,
  readEventsAfter,
} from '@grantlog/postgres';
import { createPlatformDirectory } from '@grantlog/provisioning';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { resolveAccess } from '../../../services/api/src/access/resolve-access.ts';
import { createKeyStore } from '../../../services/api/src/tokens/key-store.ts';
import { createStreamState } from '../../../services/worker/src/subscriptions/stream-state.ts';
import { consumeAll } from '../../load/audit/consume-all.ts';
import { documentOf } from '../../load/audit/found-platform.ts';
import { generate, type History } from '../../load/audit/generate.ts';
import { createRandom } from '../log/random.ts';
import { accountThen, clientThen, grantThen } from './ask-the-log.ts';
import { createNaiveReplay, type NaiveReplay } from './naive-replay.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const random = createRandom(seed);
const sealer = createSealer(['a-secret-of-the-test-run-long-enough']);

let pool: Pool;
let log: ReturnType<typeof createPostgresEventLog>;
const histories: (History & { readonly events: readonly RecordedEvent[] })[] = [];
beforeAll(async () => {
  const url = await createDatabase({ connectionString: inject('databaseUrl'), name: `as_of_${seed}` });
  await migrate({ connectionString: url });
  pool = createPool({ connectionString: url, role: 'grantlog_api', max: 8 });
  log = createPostgresEventLog({ pool, foldVersion, sealer });
  for (const platform of ['first' as PlatformId, 'second' as PlatformId]) {
    const history = await generate({ log, pool, sealer, platform, events: 10_000, seed: seed + histories.length });
    histories.push({ ...history, events: await readEventsAfter(pool, { platform, after: 0, limit: history.head }) });
  }
  // Folds of the end of it are at hand, and nothing of an earlier moment may be told from them.
  const worker = createPool({ connectionString: url, role: 'grantlog_worker', max: 2 });
  await consumeAll(worker, [createStreamState({ sealer, onTampered: () => expect.fail('nobody has edited a fold') })]);
  await worker.end();
}, 60_000);
afterAll(async () => {
  log.stop();
  await pool.end();
});

test(`the histories hold what stands on other tokens, assertions that were used up, and readings (SEED=${seed})`, () => {
  for (const { events } of histories) {
    const exchanged = events.filter(({ type, data }) => type === 'grant.authorized' && 'delegation' in data).length;
    const used = events.filter(({ type, data }) => type === 'name.claimed' && (data as { readonly kind?: string }).kind === 'jti').length;
    const readings = events.filter(({ type }) => type === 'audit.read').length;
    expect(Math.min(exchanged / 100, used / 100, readings / 10), `${exchanged} ${used} ${readings}`).toBeGreaterThan(1);
  }
});

/** What was asked, what the naive replay says of it, and how the code is asked the same. */
type Question = { readonly asked: string; readonly expected: unknown; readonly ask: () => Promise<unknown> };

/** Replays a history once, and asks the replay each question at the position that it is about. */
const questionsAbout = (
  { platform, events }: (typeof histories)[number],
  of: {
    readonly count: number;
    readonly questionAt: (moment: Moment, replay: NaiveReplay) => Question | null;
  },
): readonly Question[] => {
  const times = new Map<number, number>();
  for (let n = 0; n < of.count; n += 1) {
    const position = 1 + random.below(events.length);
    times.set(position, (times.get(position) ?? 0) + 1);
  }
  const replay = createNaiveReplay();
  return events.flatMap((event) => {
    replay.take(event);
    const moment: Moment = { platform, position: event.position, now: event.recordedAt };
    return Array.from({ length: times.get(event.position) ?? 0 }, () => of.questionAt(moment, replay) ?? []).flat();
  });
};

/** Asks the code, and answers with the first questions whose answers differ. */
const differing = async (questions: readonly Question[]): Promise<readonly object[]> => {
  const found: object[] = [];
  const rest = [...questions];
  const lane = async (): Promise<void> => {
    for (let question = rest.pop(); question !== undefined && found.length < 10; question = rest.pop()) {
      const answer = await question.ask();
      if (!isDeepStrictEqual(answer, question.expected)) found.push({ asked: question.asked, answer, expected: question.expected });
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  return found;
};

/** Something of a kind, mostly of what is there by then: of the newest, which have just changed, more often than of the old ones. */
const someOf = <Id extends StreamId>(ids: readonly Id[]): Id => random.pick(ids);

test(`says of 10,000 objects and positions what a naive replay says (SEED=${seed})`, async () => {
  const questions = histories.flatMap((history) => {
    // Half of the questions are about what the event at that very position is of: there it is seen whether a moment includes it.
    const streamAt = (position: number): StreamId => history.events[position - 1]?.streamId as StreamId;
    const [accounts, clients, grants] = [history.accounts, history.clients, history.grants].map((ids) => new Set<StreamId>(ids));
    const pick = (position: number): StreamId =>
      random.happens(0.5)
        ? streamAt(position)
        : someOf<StreamId>(random.pick([history.grants, history.grants, history.accounts, history.clients]));
    return questionsAbout(history, {
      count: 7_000,
      questionAt: (moment, replay) => {
        const id = pick(moment.position);
        const asked = `${id} at ${moment.position} of ${moment.platform}`;
        if (grants?.has(id)) return { asked, expected: replay.grant(id, moment.now), ask: () => grantThen(pool, moment, id) };
        if (clients?.has(id)) return { asked, expected: replay.client(id), ask: () => clientThen(pool, moment, id) };
        if (accounts?.has(id)) return { asked, expected: replay.account(id), ask: () => accountThen(pool, moment, id) };
        return null;
      },
    });
  });
  expect(questions.length).toBeGreaterThan(10_000);
  expect(await differing(questions.slice(0, 10_000))).toEqual([]);
});

test(`says of a token at a position whether it was good then (SEED=${seed})`, async () => {
  const keys = createKeyStore({ log, sealer });
  const directory = createPlatformDirectory({ log, sealer });
  const config = { publicUrl: 'https://auth.example' } as Parameters<typeof resolveAccess>[0]['config'];
  type Issued = { readonly grant: GrantId; readonly terms: GrantTerms; readonly issue: Issue; readonly position: number };

  const tokenOf = async (platform: PlatformId, { grant, terms, issue, position }: Issued): Promise<string> => {
    const then = await logAsOf(pool, { platform, position, now: 0 }).load(platform, [{ streamId: keyRingStream }]);
    const key = (await keys.of(platform, fold(keyRingDecider, then.stream(keyRingStream)))).tokenKey(issue.tokenKeyId);
    if (key === null) throw new Error(`no token could be made of ${grant} at ${position}`);
    const { sequence, accessExpiresAt: expiresAt, scopes, resource, tokenKeyId: keyId } = issue;
    const nonce = Uint8Array.fromBase64(terms.tokenNonce, { alphabet: 'base64url' });
    const { prefix } = documentOf(platform, 1).tokens;
    return mintToken({
      prefix,
      kind: 'access',
      platform,
      key,
      nonce,
      payload: { streamId: grant, sequence, expiresAt, scopes, resource, keyId },
    });
  };

  const asked = await Promise.all(
    histories.map(async (history) => {
      const { platform, events } = history;
      const names = await directory.open(platform);
      if (names === null) throw new Error(`${platform} is not there`);
      const terms = new Map<StreamId, GrantTerms>();
      const issued = events.flatMap(({ streamId, type, data, position }): readonly Issued[] => {
        if (type === 'grant.authorized') terms.set(streamId, data as GrantTerms);
        const { issue } = data as { readonly issue?: Issue | null };
        const of = terms.get(streamId);
        return of === undefined || issue === undefined || issue === null
          ? []
          : [{ grant: streamId as GrantId, terms: of, issue, position }];
      });
      return questionsAbout(history, {
        count: 1_000,
        questionAt: (moment, replay) => {
          // Mostly of what had been issued not long before.
          const before = issued.findLastIndex(({ position }) => position <= moment.position);
          const token = issued[Math.min(issued.length - 1, Math.max(0, before - random.below(400) + 20))];
          if (token === undefined) return null;
          return {
            asked: `issue ${token.issue.sequence} of ${token.grant} at ${moment.position} of ${platform}`,
            expected: replay.isGood(token.grant, token.issue, moment.now),
            ask: async () => {
              const text = await tokenOf(platform, token);
              const deps = { keys, config, log: logAsOf(pool, moment) };
              return (await resolveAccess(deps, names, text)).live !== null;
            },
          };
        },
      });
    }),
  );
  const questions = asked.flat();
  // Of either answer there are enough to tell them apart.
  expect(questions.filter(({ expected }) => expected === true).length).toBeGreaterThan(200);
  expect(questions.filter(({ expected }) => expected === false).length).toBeGreaterThan(200);
  expect(await differing(questions)).toEqual([]);
});
