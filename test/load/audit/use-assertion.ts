import { randomUuid } from '@grantlog/crypto';
import { nameDecider } from '@grantlog/domain';
import type { Request } from './recorder.ts';
import { openStream } from './stream.ts';
import type { Client, World } from './world.ts';

/** A client that proves itself by a signed assertion has its `jti` used up in a commit of its own, before anything is decided. */
export const useAssertion = async (world: World, { id, stream }: Client, request: Request): Promise<void> => {
  const client = stream.state();
  if (client.status !== 'active' || !client.authMethods.includes('private_key_jwt')) return;
  const name = openStream(nameDecider, world.names.jti(`client ${id}`, randomUuid(), Date.now() + 60_000));
  await world.record(request, () => {
    const { write, refusal } = name.decide({ type: 'claim', kind: 'jti', owner: id });
    return { writes: [write], reads: [], refusal };
  });
};
