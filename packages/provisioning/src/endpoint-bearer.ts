import { constantTimeEqualBytes } from '@grantlog/crypto';
import type { EndpointId } from '@grantlog/domain';
import { webhookEndpointDecider } from '@grantlog/domain';
import type { Loaded, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { NewCredential } from '@grantlog/postgres';
import type { Provisioning } from './provisioning.ts';
import { openCredential, sealCredential } from './sealed-credentials.ts';

type Of = { readonly platform: PlatformId; readonly endpoint: EndpointId; readonly token: string };

/** A bearer token of an endpoint, sealed; store it before the append that names its id. */
export const sealBearer = ({ sealer }: Pick<Provisioning, 'sealer'>, { platform, endpoint: owner, token }: Of): NewCredential =>
  sealCredential(sealer, { platform, owner, kind: 'webhook_bearer', bytes: new TextEncoder().encode(token) });

/** Whether the newest token of an endpoint is this one; the load has its secrets. */
export const holdsBearer = ({ sealer }: Pick<Provisioning, 'sealer'>, { platform, endpoint, token }: Of, loaded: Loaded): boolean => {
  const stream = loaded.stream(endpoint);
  const state = fold(webhookEndpointDecider, stream);
  const [newest] = state.status === 'active' || state.status === 'disabled' ? state.bearers : [];
  if (newest === undefined) return false;
  const place = { platform, owner: endpoint, credentials: stream.credentials };
  const held = openCredential(sealer, { ...place, kind: 'webhook_bearer', id: newest.credentialId });
  return constantTimeEqualBytes(held, new TextEncoder().encode(token));
};
