import { randomUuid, standingId } from '@grantlog/crypto';
import type { EndpointId, EndpointRegistration, WebhookEndpointCommand } from '@grantlog/domain';
import { standingKinds, webhookEndpointDecider } from '@grantlog/domain';
import type { Random } from '../../recovery/log/random.ts';
import { operator } from './client-life.ts';
import { requestOf } from './recorder.ts';
import { openStream } from './stream.ts';
import type { World } from './world.ts';

export const registrationOf = (random: Random): EndpointRegistration => ({
  url: `https://hooks-${random.below(10_000)}.example/grantlog`,
  types: random.happens(0.5) ? null : ['grant.authorized', 'grant.revoked'],
  ordered: random.happens(0.3),
  concurrency: 1 + random.below(8),
  description: 'of a generated history',
  client: null,
  secretCredentials: [randomUuid()],
  signature: 'v1',
});

const seconds = (): number => Math.floor(Date.now() / 1_000);

/** What may happen to an endpoint between its registration and its end. */
const happenings = (random: Random, world: World): readonly WebhookEndpointCommand[] => {
  const account = world.made.accounts[random.below(Math.max(1, world.made.accounts.length))];
  const recoveryId = randomUuid();
  const recovery = { recoveryId, from: 1, through: null, ratePerSecond: 50, includeDelivered: false };
  const all: readonly (readonly WebhookEndpointCommand[])[] = [
    [{ type: 'test' }],
    [{ type: 'pause', reason: null }, { type: 'resume' }],
    [{ type: 'update', allowLoopback: false, changes: { concurrency: 1 + random.below(9) } }],
    [{ type: 'rotateSecret', credentialId: randomUuid(), previousValidUntil: seconds() + 60 }],
    [{ type: 'warn', failingSince: Date.now() }, { type: 'disable', reason: 'failing' }, { type: 'enable' }],
    [
      { type: 'recover', over: null, recovery },
      { type: 'cancelRecovery', recoveryId },
    ],
    account === undefined
      ? []
      : [
          { type: 'removeSubject', account },
          { type: 'addSubject', account },
        ],
  ];
  return random.sample(all, 1 + random.below(4)).flat();
};

/** An endpoint of an operator or a client: registered, proved, changed, and often deleted. */
export const liveEndpoint = async (world: World, random: Random): Promise<void> => {
  const id = standingId(standingKinds.webhookEndpoint) as EndpointId;
  const stream = openStream(webhookEndpointDecider, id);
  const registration = { ...registrationOf(random), client: random.happens(0.5) ? random.pick(world.clients).id : null };
  const tell = (command: WebhookEndpointCommand, cause: Parameters<typeof requestOf>[1]) =>
    world.record(requestOf(operator, cause), () => {
      const { write, refusal } = stream.decide(command);
      return { writes: [write], reads: [], refusal };
    });
  const { commitId } = await tell({ type: 'register', allowLoopback: false, ...registration }, null);
  world.made.endpoints.push(id);
  if (random.happens(0.9)) await tell({ type: 'verify' }, commitId);
  for (const command of happenings(random, world)) await tell(command, null);
  if (random.happens(0.4)) await tell({ type: 'delete' }, null);
};
