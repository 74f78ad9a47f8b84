import { MigrationChanged, RolesMissing } from '@grantlog/postgres';
import { Problem } from '../problem.ts';

/**
 * The message for a database that refuses: what Postgres or the network said, and which setting decides it.
 *
 * `url` is shown without its password. An error that is not about reaching or entering the database comes back unchanged.
 */
export const explainDatabaseError = (error: unknown, url: string): unknown => {
  if (error instanceof RolesMissing)
    return new Problem(`${capitalise(error.message)}`, 'have the statements above run, then start again.', { cause: error });
  if (error instanceof MigrationChanged) {
    return new Problem(
      `${capitalise(error.message)}.`,
      'check out the version that made this database, or run reset (it loses the embedded data).',
      { cause: error },
    );
  }
  const codes = codesOf(error);
  const where = withoutPassword(url);
  for (const code of codes) {
    const fix = fixes[code] ?? (code.startsWith('08') ? 'check host and port in DATABASE_URL, and that the server is up.' : null);
    if (fix !== null) return new Problem(`The database at ${where} refuses (${code}: ${messageOf(error)}).`, fix, { cause: error });
  }
  return error;
};

/** By system error and by SQLSTATE (PostgreSQL documentation, appendix A). */
const fixes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'start the server, or correct host and port in DATABASE_URL.',
  ENOTFOUND: 'correct the host in DATABASE_URL.',
  EAI_AGAIN: 'correct the host in DATABASE_URL, or look into name resolution.',
  ETIMEDOUT: 'check host and port in DATABASE_URL, and what lies between.',
  ECONNRESET: 'check that DATABASE_URL names a Postgres server, and whether it wants TLS (sslmode=require).',
  EHOSTUNREACH: 'correct the host in DATABASE_URL.',
  '28P01': 'correct user and password in DATABASE_URL.',
  '28000': 'correct the user in DATABASE_URL, or allow this host in the server’s pg_hba.conf.',
  '3D000': 'create that database, or name an existing one in DATABASE_URL.',
  '42501': 'let the user in DATABASE_URL own its database and create roles, or run `grantlog migrate` as one who may.',
  '53100': 'the database’s disk is full: make room there.',
  '53300': 'raise max_connections of the server, or end other clients.',
  '57P03': 'the server is starting up or shutting down: try again in a moment.',
  '25006': 'DATABASE_URL names a standby: name the primary.',
};

/** Connection errors to several addresses come as one AggregateError. */
const codesOf = (error: unknown): readonly string[] => {
  if (!(error instanceof Error)) return [];
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
  const inner = error instanceof AggregateError ? error.errors.flatMap(codesOf) : [];
  return [...own, ...inner, ...codesOf(error.cause)];
};

const messageOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
};

const withoutPassword = (url: string): string => {
  const parsed = URL.parse(url);
  return parsed === null ? 'DATABASE_URL' : `${parsed.host}${parsed.pathname}`;
};

const capitalise = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
