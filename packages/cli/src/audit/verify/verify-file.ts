import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { type ExcerptVerification, type LogIdentity, verifyExcerpt } from '@grantlog/transparency';
import { Problem, systemErrorCode, unlessMissing } from '../../problem.ts';

/** Node names what zlib finds wrong: Z_BUF_ERROR where a file was cut off, Z_DATA_ERROR where its checksum does not fit. */
const isBrokenArchive = (error: unknown): error is Error => systemErrorCode(error)?.startsWith('Z_') === true;

async function* bytesOf(path: string): AsyncGenerator<Uint8Array, void, void> {
  const file = createReadStream(path);
  if (!path.endsWith('.gz')) {
    yield* file;
    return;
  }
  const plain = createGunzip();
  file.once('error', (error) => plain.destroy(error));
  try {
    yield* file.pipe(plain);
  } finally {
    file.destroy();
  }
}

/** Verifies an excerpt that lies in a file, packed by gzip where its name ends in .gz. */
export const verifyFile = async (path: string, log: LogIdentity, trusted: readonly string[]): Promise<ExcerptVerification> => {
  const found = await unlessMissing(stat(path));
  if (found === null || found.isDirectory()) throw new Problem(`There is no file ${path}`, 'check the path');
  try {
    return await verifyExcerpt({ excerpt: bytesOf(path), log, trusted });
  } catch (error) {
    if (!isBrokenArchive(error)) throw error;
    throw new Problem(`${path} cannot be unpacked: ${error.message}`, 'get the file again: it was cut off or changed', { cause: error });
  }
};
