import type { PlainSecret } from '@grantlog/crypto';
import { createClientSecret, digestSecret } from '@grantlog/crypto';
import type { AccountId, ClientRefusal } from '@grantlog/domain';
import { clientDecider } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { change } from './change.ts';
import { isOwnedBy } from './client-owner.ts';
import type { By, Provisioning } from './provisioning.ts';
import { sealCredential } from './sealed-credentials.ts';

/** Gives a confidential client a new secret; the previous one stays good for `overlapSeconds`. */
export const rotateClientSecret = async (
  context: Provisioning,
  by: By,
  task: {
    readonly platform: PlatformId;
    readonly clientId: string;
    readonly overlapSeconds: number;
    /** Null to have one made. */
    readonly secret: PlainSecret | null;
    /** Where it is given, a client of anybody else is `unknown_client`. */
    readonly owner?: AccountId;
  },
): Promise<{ readonly secret: PlainSecret; readonly position: number } | { readonly refusal: ClientRefusal }> => {
  const { platform } = task;
  const names = await context.directory.open(platform);
  if (names === null) return { refusal: 'unknown_client' };
  const stream = names.client(task.clientId);
  const secret = task.secret ?? createClientSecret();
  const credential = sealCredential(context.sealer, { platform, owner: stream, kind: 'client_secret_digest', bytes: digestSecret(secret) });
  await insertCredentials(context.pool, [credential]);
  const changed = await change<ClientRefusal>(context, by, {
    platform,
    requests: [{ streamId: stream }],
    decide: (loaded) => {
      const client = fold(clientDecider, loaded.stream(stream));
      if (task.owner !== undefined && !isOwnedBy(client, task.owner)) return { refusal: 'unknown_client' };
      const previousValidUntil = Math.floor(loaded.now / 1000) + task.overlapSeconds;
      const { events, refusal } = clientDecider.decide({ type: 'rotateSecret', credentialId: credential.id, previousValidUntil }, client);
      return refusal === undefined ? { writes: [{ streamId: stream, events }] } : { refusal };
    },
  });
  return 'refusal' in changed ? changed : { secret, position: changed.position };
};
