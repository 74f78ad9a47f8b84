import type { AccountId, ClientCommand, ClientRefusal, PlatformDocument } from '@grantlog/domain';
import { clientDecider, platformDecider, platformStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import { type UnknownToPlatform, unknownToPlatform } from './check-client-settings.ts';
import { isOwnedBy } from './client-owner.ts';
import type { By, Provisioning } from './provisioning.ts';

/** What can be done to a client that is there; its secret is rotated by itself. */
export type ClientChange = Exclude<ClientCommand, { readonly type: 'register' | 'rotateSecret' }>;

// Where nobody approves clients, nobody would ever look at a proposal.
const fitting = (command: ClientChange, document: PlatformDocument): ClientChange =>
  command.type === 'propose' && !document.registration.policy.includes('approval') ? { ...command, type: 'update' } : command;

/**
 * Changes a client. New redirect URIs have been parsed by the caller's edge.
 *
 * @param task.owner where it is given, a client of anybody else is `unknown_client`.
 */
export const changeClient = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly clientId: string; readonly command: ClientChange; readonly owner?: AccountId },
): Promise<Changed<'unknown_platform' | UnknownToPlatform | ClientRefusal>> => {
  const { platform } = task;
  const names = await context.directory.open(platform);
  if (names === null) return { refusal: 'unknown_platform' };
  const stream = names.client(task.clientId);
  return change<'unknown_platform' | UnknownToPlatform | ClientRefusal>(context, by, {
    platform,
    requests: [{ streamId: platformStream }, { streamId: stream }],
    decide: (loaded) => {
      const owner = fold(platformDecider, loaded.stream(platformStream));
      if (owner.status === 'none') return { refusal: 'unknown_platform' };
      const client = fold(clientDecider, loaded.stream(stream));
      if (task.owner !== undefined && !isOwnedBy(client, task.owner)) return { refusal: 'unknown_client' };
      const command = fitting(task.command, owner.document);
      const { events, refusal } = clientDecider.decide(command, client);
      if (refusal !== undefined) return { refusal };
      const namesSettings = command.type === 'update' || command.type === 'propose';
      const unknown = namesSettings ? unknownToPlatform(owner.document, command.changes) : null;
      if (unknown !== null) return { refusal: unknown };
      return { writes: [{ streamId: stream, events }], reads: namesSettings ? [platformStream] : [] };
    },
  });
};
