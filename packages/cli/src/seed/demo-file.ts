import { readFile } from 'node:fs/promises';
import { writePrivately } from '../launcher/state-directory.ts';
import { unlessMissing } from '../problem.ts';
import type { Demo } from './contract.ts';

/** The demonstration's credentials as an earlier start wrote them to `path`, or `null`. */
export const readDemo = async (path: string): Promise<Demo | null> => {
  const text = await unlessMissing(readFile(path, 'utf8'));
  return text === null ? null : (JSON.parse(text) as Demo); // our own file, written by writeDemo
};

/** Keeps the credentials where any client can be pointed at them. */
export const writeDemo = (path: string, demo: Demo): Promise<void> => writePrivately(path, `${JSON.stringify(demo, null, 2)}\n`);
