import { readFile } from 'node:fs/promises';
import type { OpenApi } from './open-api.ts';

const MB = 1024 * 1024;

/** Megabytes that a process holds; NaN where the system does not tell. */
const memoryOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
};

/** What came of an export, and the most memory that the API held in the first tenth of it and in the rest. */
export type Exported = { readonly events: number; readonly megabytes: number; readonly early: number; readonly late: number };

/** Reads an export of everything, as fast as it comes, and looks at the API's memory meanwhile. */
export const readExport = async (api: OpenApi, of: { readonly format: 'ndjson' | 'csv'; readonly head: number }): Promise<Exported> => {
  const { body } = await api.ask(`events/export?format=${of.format}`);
  if (body === null) throw new Error('an export without a body');
  let [lines, bytes, early, late, looked] = [0, 0, 0, 0, 0];
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
    if (lines - looked < of.head / 200) continue;
    looked = lines;
    const memory = await memoryOf(api.pid);
    if (lines <= of.head / 10) early = Math.max(early, memory);
    else late = Math.max(late, memory);
  }
  return { events: lines - (of.format === 'csv' ? 1 : 0), megabytes: bytes / MB, early, late };
};
