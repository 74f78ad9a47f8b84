import type { LoadedSession } from '../sessions/load-session.ts';

/** When a person connected the session, RFC 3339; null where nobody has. */
export const linkedAtOf = ({ state }: LoadedSession): string | null =>
  state.status === 'pending' || state.linkedAt === null ? null : new Date(state.linkedAt).toISOString();
