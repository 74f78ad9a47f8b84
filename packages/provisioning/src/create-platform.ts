import { randomUuid } from '@grantlog/crypto';
import type { PlatformDocument, PlatformRefusal } from '@grantlog/domain';
import { keyRingDecider, keyRingStream, platformDecider, platformStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials, openLog } from '@grantlog/postgres';
import { change } from './change.ts';
import type { PlatformNames } from './platform-directory.ts';
import { firstKeys, ringEvents } from './platform-keys.ts';
import { makeFirstSecrets, type PresetRefusal, planPresets, standingPresets } from './preset-clients.ts';
import type { By, Provisioning } from './provisioning.ts';

export type PlatformConfigured =
  /** `position` as of every change: of its last event, or the log's head where nothing was recorded. */
  | { readonly kind: 'created' | 'configured' | 'unchanged'; readonly position: number }
  | { readonly kind: 'refused'; readonly refusal: PlatformRefusal }
  /** What the document says of this preset client does not fit the client that stands. */
  | { readonly kind: 'refused'; readonly refusal: PresetRefusal; readonly clientId: string };

/** A platform's document and first keys, without which no client of it could have a name. False when another was faster. */
const createPlatform = async (context: Provisioning, by: By, document: PlatformDocument): Promise<boolean> => {
  const platform = document.name as PlatformId;
  const keys = await firstKeys(context.sealer, platform);
  await insertCredentials(
    context.pool,
    keys.map((key) => key.credential),
  );
  const changed = await change<PlatformRefusal>(context, by, {
    platform,
    requests: [{ streamId: platformStream }, { streamId: keyRingStream }],
    decide: (loaded) => {
      if (fold(keyRingDecider, loaded.stream(keyRingStream)).status !== 'none') return { writes: [] };
      const { events, refusal } = platformDecider.decide(
        { type: 'configure', document },
        fold(platformDecider, loaded.stream(platformStream)),
      );
      if (refusal !== undefined) return { refusal };
      return {
        writes: [
          { streamId: platformStream, events },
          { streamId: keyRingStream, events: ringEvents(keys) },
        ],
      };
    },
  });
  if ('refusal' in changed) throw new Error(`a platform that was not there was refused: ${changed.refusal}`);
  return changed.changed;
};

/** Brings a platform and its preset clients to the document, in one commit; null when another document came between. */
const followDocument = async (
  context: Provisioning,
  by: By,
  task: { readonly names: PlatformNames; readonly document: PlatformDocument },
): Promise<PlatformConfigured | null> => {
  const { names, document } = task;
  const { platform } = names;
  const after = document.presetClients;
  const secrets = await makeFirstSecrets(context, names, after);
  const stood = standingPresets(
    fold(platformDecider, (await context.log.load(platform, [{ streamId: platformStream }])).stream(platformStream)),
  );
  const known = new Set([...stood, ...after].map(({ clientId }) => clientId));
  let refused = '';
  const changed = await change<PlatformRefusal | PresetRefusal | 'moved_on'>(context, by, {
    platform,
    requests: [{ streamId: platformStream }, ...[...known].map((clientId) => ({ streamId: names.client(clientId) }))],
    decide: (loaded) => {
      const state = fold(platformDecider, loaded.stream(platformStream));
      const before = standingPresets(state);
      if (before.some(({ clientId }) => !known.has(clientId))) return { refusal: 'moved_on' };
      const { events, refusal } = platformDecider.decide({ type: 'configure', document }, state);
      if (refusal !== undefined) return { refusal };
      const presets = planPresets(loaded, names, { before, after, secrets });
      if ('refusal' in presets) {
        refused = presets.clientId;
        return { refusal: presets.refusal };
      }
      // What the document lists is decided on the document that stands.
      return { writes: [{ streamId: platformStream, events }, ...presets.writes], reads: [platformStream] };
    },
  });
  if (!('refusal' in changed)) return { kind: changed.changed ? 'configured' : 'unchanged', position: changed.position };
  const { refusal } = changed;
  switch (refusal) {
    case 'moved_on':
      return null;
    case 'unknown_platform':
    case 'name_changed':
      return { kind: 'refused', refusal };
    case 'preset_client_taken':
    case 'preset_client_deleted':
    case 'preset_client_kind_changed':
      return { kind: 'refused', refusal, clientId: refused };
  }
};

/**
 * Makes a platform, or brings an existing one to the document: its first keys, `platform.configured`, and its preset
 * clients. May be called by many at once and again later with the same document, which records only what is missing.
 */
export const configurePlatform = async (context: Provisioning, by: By, document: PlatformDocument): Promise<PlatformConfigured> => {
  // The document's parser has checked the name.
  const platform = document.name as PlatformId;
  await openLog(context.pool, { platform, lineage: randomUuid() });
  const created = (await context.directory.open(platform)) === null && (await createPlatform(context, by, document));
  const names = await context.directory.open(platform);
  if (names === null) throw new Error(`the platform ${platform} has no name key after it was made`);
  for (;;) {
    const followed = await followDocument(context, by, { names, document });
    if (followed === null) continue;
    return created && followed.kind !== 'refused' ? { kind: 'created', position: followed.position } : followed;
  }
};
