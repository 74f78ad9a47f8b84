import type { Sealer } from '@grantlog/crypto';
import type { PlatformId, SealedCredential, StreamId } from '@grantlog/eventsourcing';
import type { NewCredential } from '@grantlog/postgres';
import { openCredential, sealCredential } from './sealed-credentials.ts';

/** Custom headers of an endpoint, values by the names as they were spelled. */
export type WebhookHeaders = Readonly<Record<string, string>>;

type Place = { readonly platform: PlatformId; readonly endpoint: StreamId };

/** Headers of an endpoint, sealed: a value may be a secret. Store it before the append that names its id. */
export const sealHeaders = (sealer: Sealer, of: Place & { readonly headers: WebhookHeaders }): NewCredential => {
  const bytes = new TextEncoder().encode(JSON.stringify(of.headers));
  return sealCredential(sealer, { platform: of.platform, owner: of.endpoint, kind: 'webhook_headers', bytes });
};

/**
 * The headers that a loaded endpoint is sent.
 *
 * @throws SealBroken, Error as opening any credential does.
 */
export const openHeaders = (
  sealer: Sealer,
  of: Place & { readonly id: string; readonly credentials: readonly SealedCredential[] },
): WebhookHeaders => {
  const { platform, endpoint: owner, id, credentials } = of;
  const bytes = openCredential(sealer, { platform, owner, kind: 'webhook_headers', id, credentials });
  // Only `sealHeaders` seals credentials of this kind.
  return JSON.parse(new TextDecoder().decode(bytes)) as WebhookHeaders;
};
