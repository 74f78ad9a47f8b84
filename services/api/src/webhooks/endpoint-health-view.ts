import type { EndpointHealth } from '@grantlog/postgres';
import Type, { type Static } from 'typebox';
import { instant, nullable } from '../json-api/schemas.ts';

const counted = (what: string) => Type.Integer({ description: `${what}, counted up to 1,000` });

export const endpointHealthView = Type.Object({
  consecutiveFailures: Type.Integer(),
  failingSince: nullable(instant),
  circuit: Type.Enum(['closed', 'open', 'probing'], {
    description: 'open: nothing is sent until openUntil; probing: one delivery goes out to see whether it answers again',
  }),
  openUntil: nullable(instant),
  lastSuccessAt: nullable(instant),
  lastFailureAt: nullable(instant),
  pending: counted('Deliveries that wait'),
  held: counted('Deliveries that wait until the URL is verified'),
});

const iso = (time: Date | null): string | null => time?.toISOString() ?? null;

export const viewOfHealth = (health: EndpointHealth): Static<typeof endpointHealthView> => ({
  ...health,
  failingSince: iso(health.failingSince),
  openUntil: iso(health.openUntil),
  lastSuccessAt: iso(health.lastSuccessAt),
  lastFailureAt: iso(health.lastFailureAt),
});
