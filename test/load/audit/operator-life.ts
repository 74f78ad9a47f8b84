import { nextTokenKeyId } from '@grantlog/domain';
import { insertCredentials } from '@grantlog/postgres';
import { newTokenKey } from '@grantlog/provisioning';
import type { Random } from '../../recovery/log/random.ts';
import { askAudit } from './auditor-life.ts';
import { operator, troubleClient } from './client-life.ts';
import { byItself } from './code-life.ts';
import { liveEndpoint } from './endpoint-life.ts';
import { documentOf } from './found-platform.ts';
import { requestOf } from './recorder.ts';
import { pause, type World } from './world.ts';

const tellPlatform = (world: World, command: Parameters<World['own']['decide']>[0]) =>
  world.record(requestOf(operator), () => {
    const { write, refusal } = world.own.decide(command);
    return { writes: [write], reads: [], refusal };
  });

/** For a moment nobody may act, and who signs in meanwhile is told so. */
const suspend = async (world: World): Promise<void> => {
  await tellPlatform(world, { type: 'suspend', reason: 'maintenance' });
  await pause(40);
  await tellPlatform(world, { type: 'resume' });
};

/** A new token key takes over; one from long before is given up, and with it whatever it made. */
const rotateKey = async (world: World): Promise<void> => {
  const keyId = nextTokenKeyId(world.ring.state());
  if (keyId === null) return;
  const { credential, description } = newTokenKey(world.sealer, world.platform, keyId);
  await insertCredentials(world.pool, [credential]);
  const request = requestOf(operator);
  const tell = (command: Parameters<World['ring']['decide']>[0]) =>
    world.record(request, () => {
      const { write, refusal } = world.ring.decide(command);
      return { writes: [write], reads: [], refusal };
    });
  await tell({ type: 'createKey', key: description });
  const longestLifetimeSeconds = 90 * 86_400;
  await tell({ type: 'activateKey', use: 'token', keyId, now: Date.now(), propagationSeconds: 0, longestLifetimeSeconds });
  if (keyId > 4) await tell({ type: 'retireKey', use: 'token', keyId: keyId - 4, now: Date.now(), reason: 'compromised' });
};

/** What comes once in a history, by the part of it that is over. */
const milestones: readonly { readonly at: number; readonly happen: (world: World) => Promise<unknown> }[] = [
  { at: 0.1, happen: rotateKey },
  { at: 0.2, happen: (world) => tellPlatform(world, { type: 'configure', document: documentOf(world.platform, 2) }) },
  { at: 0.25, happen: rotateKey },
  { at: 0.35, happen: (world) => tellPlatform(world, { type: 'revokeGrants', reason: 'leaked' }) },
  { at: 0.4, happen: rotateKey },
  { at: 0.5, happen: suspend },
  { at: 0.6, happen: rotateKey },
  { at: 0.65, happen: (world) => tellPlatform(world, { type: 'configure', document: documentOf(world.platform, 3) }) },
  { at: 0.7, happen: suspend },
  { at: 0.75, happen: rotateKey },
  { at: 0.8, happen: (world) => tellPlatform(world, { type: 'revokeGrants', reason: 'leaked_again' }) },
  { at: 0.9, happen: suspend },
];

/** Events for each thing that operators, auditors and clients do by themselves. */
const pace = 70;

/** Those who run the platform, its clients and its endpoints, until as many events as were asked for have been `recorded`. */
export const liveOperator = async (
  world: World,
  random: Random,
  of: { readonly events: number; readonly recorded: () => number },
): Promise<void> => {
  const coming = [...milestones];
  const act = (own: Random): Promise<void> => {
    const chance = own.below(14);
    if (chance >= 10) return askAudit(world, own);
    if (chance < 4) return byItself(world, own);
    return chance < 7 ? liveEndpoint(world, own) : troubleClient(world, own);
  };
  for (let acts = 0; !world.isOver(); await pause(2)) {
    while (coming[0] !== undefined && coming[0].at * of.events <= of.recorded()) await coming.shift()?.happen(world);
    for (; acts < of.recorded() / pace; acts += 1) {
      const own = random.fork();
      world.beside(() => act(own));
    }
  }
};
