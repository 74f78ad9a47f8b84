import { SealBroken } from '@grantlog/crypto';
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
  if (error instanceof SealBroken) {
    return new Problem(
      `The keys in the database at ${withoutPassword(url)} were sealed with another secret.`,
      'set GRANTLOG_SECRET to the secret of the start that made them (later ones may stand before it), or begin with an empty database.',
      { cause: error },
    );
  }
  const codes = codesOf(error);
  const where = withoutPassword(url);
  for (const code of codes) {
    const fix = fixes[code] ?? (code.startsWith('08') ? 'check host and port in DATABASE_URL, and that the server is up.' : null);
    if (fix !== null) return new Problem(`The database at ${where} refuses (${code}: ${messageOf(error)}).`, fix, { cause: error });
  }
  const said = messageOf(error);
  const known = withoutCode.find(({ pattern }) => pattern.test(said));
  return known === undefined ? error : new Problem(`The database at ${where} refuses (${said}).`, known.fix, { cause: error });
};

/** What the driver finds out by itself, and says in words alone. */
const withoutCode: readonly { readonly pattern: RegExp; readonly fix: string }[] = [
  { pattern: /^SASL: .*password must be/, fix: 'put the password into DATABASE_URL: the server asks for one.' },
  { pattern: /does not support SSL/, fix: 'remove sslmode from DATABASE_URL, or turn TLS on in the server.' },
  {
    pattern: /^Connection terminated|timeout expired|error response to SSL negotiation/,
    fix: 'check that DATABASE_URL names a Postgres server: what listens there does not answer like one.',
  },
];

/** By system error and by SQLSTATE (PostgreSQL documentation, appendix A). */
const fixes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'start the server, or correct host and port in DATABASE_URL.',
  ENOTFOUND: 'correct the host in DATABASE_URL.',
  EAI_AGAIN: 'correct the host in DATABASE_URL, or look into name resolution.',
  ETIMEDOUT: 'check host and port in DATABASE_URL, and what lies between.',
  ECONNRESET: 'check that DATABASE_URL names a Postgres server, and whether it wants TLS (sslmode=require).',
  EHOSTUNREACH: 'correct the host in DATABASE_URL.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'let DATABASE_URL name the server’s certificate authority (sslrootcert=<file>).',
  SELF_SIGNED_CERT_IN_CHAIN: 'let DATABASE_URL name the server’s certificate authority (sslrootcert=<file>).',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'let DATABASE_URL name the server’s certificate authority (sslrootcert=<file>).',
  ERR_TLS_CERT_ALTNAME_INVALID: 'name the server in DATABASE_URL as its certificate does.',
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
