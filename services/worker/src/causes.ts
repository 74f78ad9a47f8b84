import type { Actor, LoadedStream, PlatformId } from '@grantlog/eventsourcing';
import { type Database, readEventsAfter, readStreamEvent } from '@grantlog/postgres';
import { type By, causedBy } from '@grantlog/provisioning';

/** What only time brings about comes of the last that happened in the stream: it is that after which nothing came. */
export const causedByLastOf = async (
  pool: Database,
  actor: Actor,
  { platform, stream }: { readonly platform: PlatformId; readonly stream: LoadedStream },
): Promise<By> => {
  const { streamId, version } = stream;
  const last = stream.events.at(-1) ?? (await readStreamEvent(pool, { platform, streamId, version }));
  if (last === null) throw new Error(`${streamId} has no event ${version}`);
  return causedBy(actor, last);
};

/** What a receiver's answer brings about comes of the event that it was told of. An endpoint has its fate also where that is not found. */
export const causedByTold = async (
  pool: Database,
  actor: Actor,
  { platform, position }: { readonly platform: PlatformId; readonly position: number },
): Promise<By> => {
  const [told] = await readEventsAfter(pool, { platform, after: position - 1, limit: 1 });
  return told?.position === position ? causedBy(actor, told) : { actor, correlationId: actor.id };
};
