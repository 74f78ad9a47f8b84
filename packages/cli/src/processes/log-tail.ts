import { open } from 'node:fs/promises';
import { unlessMissing } from '../problem.ts';

/** The last `lines` lines of a log, read from at most its last 64 KiB; empty where there is no file. */
export const lastLines = async (path: string, lines: number): Promise<readonly string[]> => {
  const file = await unlessMissing(open(path, 'r'));
  if (file === null) return [];
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - 65_536);
    const buffer = Buffer.alloc(size - start);
    await file.read(buffer, 0, buffer.length, start);
    return buffer
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-lines);
  } finally {
    await file.close();
  }
};
