import { type SigningKey, signWebhook } from '@grantlog/crypto';

/** What the clock of every receiver here shows, in Unix seconds. */
export const nowSeconds = 1_800_000_000;

export const told = {
  type: 'grant.refreshed',
  timestamp: '2027-01-15T07:59:58.250Z',
  data: { platform: 'arlo', grantId: 'g1', sequence: 3, position: 41, deliveryContext: { to: 'Ä' } },
};

/** What the receiver makes of it. */
export const message = {
  id: '019baf6c-0000-7000-8000-000000000001',
  type: told.type,
  timestamp: nowSeconds,
  occurredAt: new Date(told.timestamp),
  data: told.data,
  sequence: 3,
  position: 41,
};

/** One attempt as the worker sends it: everything good unless a test says otherwise. */
export const attempt = (of: {
  readonly secrets: readonly string[];
  readonly keys?: readonly SigningKey[];
  readonly id?: string;
  readonly timestampSeconds?: number;
  readonly body?: string;
}) => {
  const { id = message.id, timestampSeconds = nowSeconds, body = JSON.stringify(told) } = of;
  const headers: Record<string, string> = {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signWebhook({ ...of, id, timestampSeconds, body }),
    ...Object.fromEntries((of.keys ?? []).map(({ kid }) => ['webhook-key-id', kid])),
  };
  return { headers, body };
};
