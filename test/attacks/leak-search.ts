import { createPool } from '@grantlog/postgres';

/** A secret by the name that a finding gives it; the secret itself is in no report. */
export type Canary = readonly [name: string, secret: string];
/** A text in which no canary may be, and where it comes from. */
export type Haystack = readonly [where: string, text: string];

const percentEncoded = (text: string): string => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

/** What stays the same of base64 wherever the text stands in what was encoded: three alignments, their shared edges cut. */
const base64Forms = (text: string): readonly string[] =>
  [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
      .toString('base64')
      .replaceAll('=', '');
    const whole = encoded.slice(offset === 0 ? 0 : offset + 1, -2);
    return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')];
  });

const formsOf = (secret: string): ReadonlySet<string> =>
  new Set([
    secret,
    encodeURIComponent(secret),
    percentEncoded(secret),
    percentEncoded(secret).toUpperCase(),
    Buffer.from(secret).toString('hex'),
    Buffer.from(secret).toString('hex').toUpperCase(),
    JSON.stringify(secret).slice(1, -1),
    ...base64Forms(secret),
    // A token without its end is as bad: only a few characters would have to be guessed.
    ...(secret.length >= 60 ? [secret.slice(0, -8), secret.slice(12)] : []),
  ]);

/** Every place where a canary is, in any form that a careless line would give it. */
export const findLeaks = (canaries: readonly Canary[], haystacks: readonly Haystack[]): readonly string[] => {
  // Eight letters are as few as a user code has; even its shortest form is nine characters of base64.
  for (const [name, secret] of canaries) if (secret.length < 8) throw new Error(`the canary ${name} is too short to be told from chance`);
  const searched = canaries.map(([name, secret]) => [name, [...formsOf(secret)]] as const);
  return haystacks.flatMap(([where, text]) =>
    searched.filter(([, forms]) => forms.some((form) => text.includes(form))).map(([name]) => `${name} in ${where}`),
  );
};

/** Every column of every row of every table of the server's schemas: as text, and bytes also as hex and as latin1. */
export const dumpDatabase = async (connectionString: string): Promise<readonly Haystack[]> => {
  const pool = createPool({ connectionString, role: 'grantlog_migrate', max: 1 });
  const client = await pool.connect();
  try {
    // Back to the login, which may read everything.
    await client.query('set role none');
    const { rows: columns } = await client.query<{ table: string; column: string }>(
      `select format('%I.%I', c.table_schema, c.table_name) as "table", c.column_name as "column"
       from information_schema.columns c
       join information_schema.tables t using (table_schema, table_name)
       where c.table_schema in ('grantlog', 'bullmq', 'public') and t.table_type = 'BASE TABLE'
       order by 1, c.ordinal_position`,
    );
    const haystacks: Haystack[] = [];
    for (const table of new Set(columns.map((each) => each.table))) {
      const { rows } = await client.query<Record<string, unknown>>(`select t.*, t::text as "whole row" from ${table} t`);
      for (const [index, row] of rows.entries())
        for (const [column, value] of Object.entries(row)) {
          if (value === null) continue;
          const texts = Buffer.isBuffer(value)
            ? [value.toString('hex'), value.toString('latin1')]
            : [typeof value === 'string' ? value : JSON.stringify(value)];
          for (const text of texts) haystacks.push([`${table}.${column} of row ${index + 1}`, text]);
        }
    }
    return haystacks;
  } finally {
    client.release();
    await pool.end();
  }
};
