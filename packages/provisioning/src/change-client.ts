import type { ClientCommand, ClientRefusal } from '@grantlog/domain';
import { clientDecider, platformDecider, platformStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import { type UnknownToPlatform, unknownToPlatform } from './check-client-settings.ts';
import type { By, Provisioning } from './provisioning.ts';

/** What can be done to a client that is there; its secret is rotated by itself. */
export type ClientChange = Exclude<ClientCommand, { readonly type: 'register' | 'rotateSecret' }>;

/** Changes a client. New redirect URIs have been parsed by the caller's edge. */
export const changeClient = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly clientId: string; readonly command: ClientChange },
): Promise<Changed<'unknown_platform' | UnknownToPlatform | ClientRefusal>> => {
  const { platform, command } = task;
  const names = await context.directory.open(platform);
  if (names === null) return { refusal: 'unknown_platform' };
  const stream = names.client(task.clientId);
  return change<'unknown_platform' | UnknownToPlatform | ClientRefusal>(context, by, {
    platform,
    requests: [{ streamId: platformStream }, { streamId: stream }],
    decide: (loaded) => {
      const owner = fold(platformDecider, loaded.stream(platformStream));
      if (owner.status === 'none') return { refusal: 'unknown_platform' };
      const { events, refusal } = clientDecider.decide(command, fold(clientDecider, loaded.stream(stream)));
      if (refusal !== undefined) return { refusal };
      const unknown = command.type === 'update' ? unknownToPlatform(owner.document, command.changes) : null;
      if (unknown !== null) return { refusal: unknown };
      return { writes: [{ streamId: stream, events }], reads: command.type === 'update' ? [platformStream] : [] };
    },
  });
};
