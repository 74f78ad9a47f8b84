import type { EventView } from './event-view.ts';

const columns = [
  'position',
  'recordedAt',
  'type',
  'streamId',
  'version',
  'actorKind',
  'actorId',
  'correlationId',
  'causationId',
  'commitId',
  'schemaVersion',
  'hasPersonal',
  'data',
] as const;

/** A field as RFC 4180 has it. What a spreadsheet would take for a formula is kept from being one. */
const field = (value: string): string => {
  const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
};

const row = (fields: readonly string[]): string => `${fields.map(field).join(',')}\r\n`;

const write = (event: EventView): string => {
  const { actor, data, ...rest } = event;
  const cells: Readonly<Record<(typeof columns)[number], string | number | boolean | null>> = {
    ...rest,
    actorKind: actor.kind,
    actorId: actor.id,
    data: JSON.stringify(data),
  };
  return row(columns.map((column) => String(cells[column] ?? '')));
};

/** An event as a line of CSV, and the line that names the columns. @see RFC 4180 */
export const csvOf = Object.assign(write, { header: row(columns) });
