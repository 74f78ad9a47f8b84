import { matchesDigest } from '@grantlog/crypto';
import { clientDecider, validSecrets } from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import {
  type By,
  changeClient,
  type NewClient,
  openCredential,
  type Provisioning,
  registerClient,
  rotateClientSecret,
} from '@grantlog/provisioning';
import { SeedRefused } from './ensure-account.ts';

/** Makes sure that the client exists, serves what it should (resources move with `PUBLIC_URL`) and has this secret; changes nothing when it does. */
export const ensureClient = async (context: Provisioning, by: By, client: NewClient & { readonly clientId: string }): Promise<void> => {
  const { platform, clientId, secret } = client;
  const names = await context.directory.open(platform);
  if (names === null) throw new SeedRefused(`the platform ${platform} is not there`);
  const owner = names.client(clientId);
  const loaded = await context.log.load(platform, [{ streamId: owner, withSecrets: true }]);
  const stream = loaded.stream(owner);
  const state = fold(clientDecider, stream);
  if (state.status === 'none') {
    const registered = await registerClient(context, by, client);
    if (registered.kind === 'refused') throw new SeedRefused(`the client ${clientId} of ${platform} was refused: ${registered.refusal}`);
    return;
  }
  if (state.status === 'deleted') return;
  if (JSON.stringify(state.serves) !== JSON.stringify(client.serves)) {
    const changed = await changeClient(context, by, {
      platform,
      clientId,
      command: { type: 'update', changes: { serves: client.serves } },
    });
    if ('refusal' in changed) throw new SeedRefused(`what ${clientId} of ${platform} serves was refused: ${changed.refusal}`);
  }
  if (secret === null) return;
  const known = validSecrets(state.secrets, loaded.now / 1000).some((id) =>
    matchesDigest(
      secret,
      openCredential(context.sealer, { platform, owner, kind: 'client_secret_digest', id, credentials: stream.credentials }),
    ),
  );
  if (known) return;
  const rotated = await rotateClientSecret(context, by, { platform, clientId, overlapSeconds: 0, secret });
  if ('refusal' in rotated) throw new SeedRefused(`the secret of ${clientId} of ${platform} was refused: ${rotated.refusal}`);
};
