import type { EndpointId, NameId } from '@grantlog/domain';
import { nameDecider } from '@grantlog/domain';
import type { Loaded, NewEvent } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { EndpointManager } from './endpoint-manager.ts';
import type { PlatformNames } from './platform-directory.ts';
import type { Provisioning } from './provisioning.ts';

/** Endpoints that a client may have registered by itself at a time. */
const slotsOfClient = 20;
/** Endpoints that a grant may have registered at a time. */
const slotsOfGrant = 5;

type Write = { readonly streamId: NameId; readonly events: readonly NewEvent[] };

/**
 * The places that a manager's endpoints take: names of the log, claimed in the commit of a registration and released in that
 * of a deletion, so that the log itself counts them. None for operators, whose endpoints are not counted.
 */
export const slotsOf = (names: PlatformNames, manager: EndpointManager): readonly NameId[] => {
  const slots = (owner: Parameters<PlatformNames['endpointSlot']>[0], count: number): readonly NameId[] =>
    Array.from({ length: count }, (_, index) => names.endpointSlot(owner, index));
  switch (manager.kind) {
    case 'operator':
      return [];
    case 'client':
    case 'receiver':
      return slots(manager.client, slotsOfClient);
    case 'grant':
      return slots(manager.grant, slotsOfGrant);
  }
};

/**
 * Takes one of the free places for an endpoint; null where there is none. Which one follows from its id, so that those who
 * register at once seldom want the same.
 */
export const claimSlot = (loaded: Loaded, slots: readonly NameId[], endpoint: EndpointId): Write | null => {
  const free = slots.filter((slot) => fold(nameDecider, loaded.stream(slot)).status !== 'claimed');
  const slot = free[Number.parseInt(endpoint.slice(-6), 16) % free.length];
  if (slot === undefined) return null;
  const { events } = nameDecider.decide({ type: 'claim', kind: 'endpoint_slot', owner: endpoint }, fold(nameDecider, loaded.stream(slot)));
  return { streamId: slot, events };
};

/** Gives a place back, where the endpoint has it. */
export const releaseSlot = (loaded: Loaded, slot: NameId, endpoint: EndpointId): Write => ({
  streamId: slot,
  events: nameDecider.decide({ type: 'release', owner: endpoint }, fold(nameDecider, loaded.stream(slot))).events,
});

/** The endpoints that a client or a grant has registered and not deleted, in the order of their ids; exact at once. */
export const listOwnEndpoints = async (
  context: Pick<Provisioning, 'log'>,
  { names, manager }: { readonly names: PlatformNames; readonly manager: EndpointManager },
): Promise<readonly EndpointId[]> => {
  const slots = slotsOf(names, manager);
  const loaded = await context.log.load(
    names.platform,
    slots.map((streamId) => ({ streamId })),
  );
  return slots
    .flatMap((slot) => {
      const name = fold(nameDecider, loaded.stream(slot));
      // Only endpoints are given names of this kind.
      return name.status === 'claimed' ? [name.owner as EndpointId] : [];
    })
    .toSorted();
};
