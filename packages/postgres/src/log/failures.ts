import { LogUnavailable, RejectedByDatabase, UnknownPlatform } from '@grantlog/eventsourcing';
import pg from 'pg';

/**
 * What a failed statement says about what happened.
 *
 * - `unknown`: the reply was lost; it may have committed. Ask again with the same bytes.
 * - `unavailable`: it did not happen, and may later (a stuck lock, a full disk, a server starting up).
 * - `refused`: Postgres refused a value, or the value could not even be said in JSON; it will not happen.
 */
export type FailureKind = 'unknown' | 'unavailable' | 'refused' | 'unknown_platform';

const unavailableClasses = new Set(['53', '58']);
const interrupted = new Set(['57P01', '57P02', '57P03', '57P05', '57014', '25006']);

/** Classifies an error of node-postgres by its SQLSTATE; an error without one is a lost connection. */
export const classifyFailure = (error: unknown): FailureKind => {
  // Thrown before anything was sent: data that contains itself or a bigint. Asking again would hold up everybody.
  if (error instanceof TypeError) return 'refused';
  if (error instanceof LogUnavailable) return 'unavailable';
  // By its class and not by its look: EPIPE has five letters, too, and says that a reply was lost.
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return 'unknown';
  const state = error.code;
  if (state === 'GL001') return 'unknown_platform';
  if (state.startsWith('08') || interrupted.has(state)) return 'unknown';
  if (state === '55P03' || state.startsWith('40') || unavailableClasses.has(state.slice(0, 2))) return 'unavailable';
  // Wrong password, missing database, missing function or privilege: a defect of the deployment, not of a value.
  if (state.startsWith('28') || state.startsWith('3D') || state.startsWith('42')) return 'unavailable';
  return 'refused';
};

/** The error that callers of the log see. */
export const toLogError = (error: unknown): Error => {
  if (error instanceof LogUnavailable) return error;
  const message = error instanceof Error ? error.message : String(error);
  switch (classifyFailure(error)) {
    case 'unknown':
    case 'unavailable':
      return new LogUnavailable(message, { cause: error });
    case 'unknown_platform':
      return new UnknownPlatform(message, { cause: error });
    case 'refused':
      return new RejectedByDatabase(message, { cause: error });
  }
};
