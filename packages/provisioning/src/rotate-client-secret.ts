import type { PlainSecret } from '@grantlog/crypto';
import { createClientSecret, digestSecret } from '@grantlog/crypto';
import type { ClientRefusal } from '@grantlog/domain';
import { clientDecider } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { commitOn } from './commit.ts';
import type { By, Provisioning } from './provisioning.ts';
import { sealCredential } from './sealed-credentials.ts';

/** Gives a confidential client a new secret; the previous one stays good for `overlapSeconds`. */
export const rotateClientSecret = async (
  context: Provisioning,
  by: By,
  change: {
    readonly platform: PlatformId;
    readonly clientId: string;
    readonly overlapSeconds: number;
    /** Null to have one made. */
    readonly secret: PlainSecret | null;
  },
): Promise<{ readonly secret: PlainSecret; readonly position: number } | { readonly refusal: ClientRefusal }> => {
  const { platform } = change;
  const names = await context.directory.open(platform);
  if (names === null) return { refusal: 'unknown_client' };
  const stream = names.client(change.clientId);
  const secret = change.secret ?? createClientSecret();
  const credential = sealCredential(context.sealer, { platform, owner: stream, kind: 'client_secret_digest', bytes: digestSecret(secret) });
  await insertCredentials(context.pool, [credential]);
  const { outcome, appended } = await execute({
    log: context.log,
    platform,
    requests: [{ streamId: stream }],
    decide: (loaded) => {
      const previousValidUntil = Math.floor(loaded.now / 1000) + change.overlapSeconds;
      const { events, refusal } = clientDecider.decide(
        { type: 'rotateSecret', credentialId: credential.id, previousValidUntil },
        fold(clientDecider, loaded.stream(stream)),
      );
      return {
        commit: refusal === undefined ? commitOn(loaded, by, { writes: [{ streamId: stream, events }] }) : null,
        outcome: refusal ?? null,
      };
    },
  });
  return outcome === null ? { secret, position: appended?.position ?? 0 } : { refusal: outcome };
};
