import { createClientSecret, digestSecret, randomToken } from '@grantlog/crypto';
import type {
  ClientCommand,
  ClientId,
  ClientRegistration,
  ClientState,
  ClientStreamId,
  PlatformState,
  PresetClient,
} from '@grantlog/domain';
import { clientDecider } from '@grantlog/domain';
import type { Loaded, NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import type { PlatformNames } from './platform-directory.ts';
import type { Provisioning } from './provisioning.ts';
import { sealCredential } from './sealed-credentials.ts';

export type PresetRefusal = 'preset_client_taken' | 'preset_client_deleted' | 'preset_client_kind_changed';

/** Why a preset client was disabled that the document lists no more. It is enabled again for this reason only. */
const unlisted = 'preset_removed';

/** The preset clients of the document that stands; none before there is a platform. */
export const standingPresets = (platform: PlatformState): readonly PresetClient[] =>
  platform.status === 'none' ? [] : platform.document.presetClients;

/** The credential ids of the first secrets of confidential clients that are not there yet, by client id. */
export type FirstSecrets = ReadonlyMap<string, string>;

/**
 * Makes a first secret for each confidential client that is about to be registered, for which nobody is ever told the
 * plain text: rotating it shows one to whoever is to have it.
 */
export const makeFirstSecrets = async (
  context: Pick<Provisioning, 'log' | 'pool' | 'sealer'>,
  names: PlatformNames,
  presets: readonly PresetClient[],
): Promise<FirstSecrets> => {
  const { platform } = names;
  const confidential = presets.filter(({ type }) => type === 'confidential');
  if (confidential.length === 0) return new Map();
  const loaded = await context.log.load(
    platform,
    confidential.map(({ clientId }) => ({ streamId: names.client(clientId) })),
  );
  const made = confidential
    .filter(({ clientId }) => loaded.stream(names.client(clientId)).version === 0)
    .map(({ clientId }) => ({ clientId, credential: unknownSecret(context, platform, names.client(clientId)) }));
  await insertCredentials(
    context.pool,
    made.map(({ credential }) => credential),
  );
  return new Map(made.map(({ clientId, credential }) => [clientId, credential.id]));
};

const unknownSecret = (context: Pick<Provisioning, 'sealer'>, platform: PlatformId, owner: ClientStreamId) =>
  sealCredential(context.sealer, { platform, owner, kind: 'client_secret_digest', bytes: digestSecret(createClientSecret()) });

const registrationOf = (preset: PresetClient, secretCredential: string | null): ClientRegistration => ({
  name: preset.name,
  redirectUris: preset.redirectUris,
  grantTypes: preset.grantTypes,
  scopes: preset.scopes,
  authMethods: preset.type === 'public' ? ['none'] : ['client_secret_basic', 'client_secret_post'],
  idTokenAlg: null,
  serves: [],
  roles: [],
  // The document's parser has checked its form.
  clientId: preset.clientId as ClientId,
  kind: preset.type,
  how: 'preset',
  owner: null,
  secretCredential,
  approval: 'approved',
  tokenNonce: randomToken(32),
});

/** What the document says of a client. What it leaves open (whom it serves, its algorithm) an operator may have set. */
const follow = ({ name, redirectUris, grantTypes, scopes }: PresetClient): ClientCommand => ({
  type: 'update',
  changes: { name, redirectUris, grantTypes, scopes },
});

const decided = (command: ClientCommand, state: ClientState): readonly NewEvent[] => {
  const { events, refusal } = clientDecider.decide(command, state);
  if (refusal !== undefined) throw new Error(`a preset client was refused to ${command.type}: ${refusal}`);
  return events;
};

const listedClient = (
  preset: PresetClient,
  state: ClientState,
  known: { readonly wasListed: boolean; readonly secrets: FirstSecrets },
): readonly NewEvent[] | PresetRefusal => {
  switch (state.status) {
    case 'none':
      return decided({ type: 'register', ...registrationOf(preset, known.secrets.get(preset.clientId) ?? null) }, state);
    case 'deleted':
      // Deleted since it was listed: that decision stands. Its id is never given to another client.
      return known.wasListed ? [] : 'preset_client_deleted';
    case 'active':
    case 'disabled':
      if (state.how !== 'preset' || state.owner !== null) return 'preset_client_taken';
      if (state.kind !== preset.type) return 'preset_client_kind_changed';
      return [
        ...decided(follow(preset), state),
        ...(state.status === 'disabled' && state.reason === unlisted ? decided({ type: 'enable' }, state) : []),
      ];
  }
};

const unlistedClient = (state: ClientState): readonly NewEvent[] =>
  // Another client may have taken the id after it was deleted from the document, before it was ever registered.
  state.status === 'active' && state.how === 'preset' ? decided({ type: 'disable', reason: unlisted }, state) : [];

export type PresetPlan =
  | { readonly writes: readonly { readonly streamId: StreamId; readonly events: readonly NewEvent[] }[] }
  | { readonly refusal: PresetRefusal; readonly clientId: string };

/**
 * Brings the preset clients to what a document lists: new ones are registered, changed ones follow, and those that it
 * lists no more are disabled until it lists them again. Nothing is recorded for what already is.
 */
export const planPresets = (
  loaded: Loaded,
  names: PlatformNames,
  of: { readonly before: readonly PresetClient[]; readonly after: readonly PresetClient[]; readonly secrets: FirstSecrets },
): PresetPlan => {
  const { before, after, secrets } = of;
  const stateOf = (streamId: StreamId): ClientState => fold(clientDecider, loaded.stream(streamId));
  const writes: { readonly streamId: StreamId; readonly events: readonly NewEvent[] }[] = [];
  for (const preset of after) {
    const streamId = names.client(preset.clientId);
    const wasListed = before.some(({ clientId }) => clientId === preset.clientId);
    const events = listedClient(preset, stateOf(streamId), { wasListed, secrets });
    if (typeof events === 'string') return { refusal: events, clientId: preset.clientId };
    writes.push({ streamId, events });
  }
  for (const { clientId } of before.filter((preset) => after.every((kept) => kept.clientId !== preset.clientId))) {
    const streamId = names.client(clientId);
    writes.push({ streamId, events: unlistedClient(stateOf(streamId)) });
  }
  return { writes };
};
