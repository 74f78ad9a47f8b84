const secretFields = new Set([
  'access_token',
  'refresh_token',
  'id_token',
  'code',
  'code_verifier',
  'client_secret',
  'token',
  'secret',
  'password',
  'request',
  'csrf',
]);

/** A secret as people may see it: its first characters. */
export const shortened = (text: string): string => (text.length <= 12 ? '…' : `${text.slice(0, 9)}…`);

const show = (value: unknown, name = ''): string => {
  if (typeof value === 'string') return secretFields.has(name) ? shortened(value) : value;
  return JSON.stringify(value);
};

/** Fields as one line, secrets shortened. */
export const fields = (record: Readonly<Record<string, unknown>>): string =>
  Object.entries(record)
    .map(([name, value]) => `${name}=${show(value, name)}`)
    .join(' ');

/** Tells the demo's story: numbered steps, and under each what went over the wire. */
export const createNarrator = (out: (line: string) => void) => {
  let step = 0;
  return {
    step: (title: string): void => {
      step += 1;
      out('');
      out(`${step}. ${title}`);
    },
    sent: (line: string): void => out(`   → ${line}`),
    got: (line: string): void => out(`   ← ${line}`),
    note: (line: string): void => out(`     ${line}`),
  };
};

export type Narrator = ReturnType<typeof createNarrator>;
