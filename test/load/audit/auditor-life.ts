import { uuidv7 } from '@grantlog/crypto';
import { type AuditQuestion, type AuditReadId, auditDecider } from '@grantlog/domain';
import type { Actor, JsonObject, StreamId } from '@grantlog/eventsourcing';
import type { Random } from '../../recovery/log/random.ts';
import { requestOf } from './recorder.ts';
import { openStream } from './stream.ts';
import type { World } from './world.ts';

const auditor: Actor = { kind: 'operator', id: 'auditor-1' };

/** What is asked about, each kind of thing by the questions that there are of it. */
const questions: readonly { readonly question: AuditQuestion; readonly of: 'account' | 'client' | 'grant' }[] = [
  { question: 'events', of: 'account' },
  { question: 'events', of: 'client' },
  { question: 'count', of: 'client' },
  { question: 'export', of: 'account' },
  { question: 'account', of: 'account' },
  { question: 'client', of: 'client' },
  { question: 'live_grants', of: 'account' },
  { question: 'lineage', of: 'grant' },
  { question: 'grant', of: 'grant' },
  { question: 'token', of: 'grant' },
];

const someOf = (random: Random, ids: readonly StreamId[]): StreamId | null => (ids.length === 0 ? null : random.pick(ids));

/** An auditor asks about somebody, or a developer about a client, and it goes on record before it is answered. */
export const askAudit = async (world: World, random: Random): Promise<void> => {
  const { question, of } = random.pick(questions);
  const { accounts, clients, grants } = world.made;
  const id = someOf(random, { account: accounts, client: clients, grant: grants }[of]);
  if (id === null) return;
  const developer = of === 'client' && random.happens(0.5) ? accounts[random.below(Math.max(1, accounts.length))] : undefined;
  const about: JsonObject = { [of]: id };
  const stream = openStream(auditDecider, uuidv7(Date.now()) as AuditReadId);
  await world.record(requestOf(developer === undefined ? auditor : { kind: 'account', id: developer }), () => {
    const { write, refusal } = stream.decide({ type: 'read', question, about });
    return { writes: [write], reads: [], refusal };
  });
};
