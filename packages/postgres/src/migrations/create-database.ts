import pg from 'pg';

/** Creates a database beside the one of `connectionString`, if it is not there yet, and returns its URL. */
export const createDatabase = async (options: {
  readonly connectionString: string;
  readonly name: string;
  readonly template?: string;
}): Promise<string> => {
  const client = new pg.Client({ connectionString: options.connectionString, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const template = options.template === undefined ? '' : ` template ${client.escapeIdentifier(options.template)}`;
    await client.query(`create database ${client.escapeIdentifier(options.name)}${template}`);
  } catch (error) {
    if ((error as { code?: string }).code !== '42P04') throw error;
  } finally {
    await client.end();
  }
  const url = new URL(options.connectionString);
  url.pathname = `/${encodeURIComponent(options.name)}`;
  return url.href;
};
