import type { Sealer } from '@grantlog/crypto';
import { createWebhookKeyPair, createWebhookSecret } from '@grantlog/crypto';
import type { EndpointId, WebhookSignature } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { NewCredential } from '@grantlog/postgres';
import { sealCredential } from './sealed-credentials.ts';

/** What the receiver of a webhook verifies with, shown once: the shared secret (`whsec_`), or the public key (`whpk_`). */
export type ShownEndpointSecret =
  | { readonly signature: 'v1'; readonly secret: string }
  | { readonly signature: 'v1a'; readonly publicKey: string };

/** A new signing secret of an endpoint, sealed, and what its receiver is shown of it. */
export const newEndpointSecret = (
  sealer: Sealer,
  of: { readonly platform: PlatformId; readonly endpoint: EndpointId; readonly signature: WebhookSignature },
): { readonly credential: NewCredential; readonly shown: ShownEndpointSecret } => {
  const seal = (text: string): NewCredential =>
    sealCredential(sealer, { platform: of.platform, owner: of.endpoint, kind: 'webhook_secret', bytes: new TextEncoder().encode(text) });
  switch (of.signature) {
    case 'v1': {
      const secret = createWebhookSecret();
      return { credential: seal(secret), shown: { signature: 'v1', secret } };
    }
    case 'v1a': {
      const { secretKey, publicKey } = createWebhookKeyPair();
      return { credential: seal(secretKey), shown: { signature: 'v1a', publicKey } };
    }
  }
};
