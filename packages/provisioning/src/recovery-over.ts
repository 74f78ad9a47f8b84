import type { EndpointId, WebhookEndpointState } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { listRecoveries, type Pool } from '@grantlog/postgres';

/** The recovery that an endpoint was last asked for, if it is carried out by now. The log does not say; its own row does. */
export const recoveryOver = async (
  pool: Pool,
  of: { readonly platform: PlatformId; readonly endpoint: EndpointId; readonly state: WebhookEndpointState },
): Promise<string | null> => {
  const { platform, endpoint, state } = of;
  if (state.status !== 'active' || state.recovery === null) return null;
  const { recoveryId } = state.recovery;
  const found = (await listRecoveries(pool, { platform, endpoint, limit: 10 })).find(({ id }) => id === recoveryId);
  return found === undefined || found.state === 'running' ? null : recoveryId;
};
