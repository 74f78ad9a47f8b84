import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { Actor, CommitId, PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import { readLeaf } from '@grantlog/transparency';
import { Problem, systemErrorCode } from '../../problem.ts';

/** What a line holds, where it holds an event. The leaf is canonical, so that spelling it again gives its bytes. */
const eventStart = '{"event":';

/** What stands behind the leaf: its hash, and the sealed part where the file has it. */
const lineEnd = /^,"hash":"[A-Za-z0-9+/]{43}="(?:,"personal":"([A-Za-z0-9+/]*={0,2})")?\}$/;

/** An event of a file. `personal` is what is sealed in it, where the file has that; `hasPersonal` says whether there is any. */
export type FiledEvent = RecordedEvent & { readonly hasPersonal: boolean };

const eventOf = (line: string): FiledEvent | null => {
  const end = line.lastIndexOf(',"hash":"');
  const reading = end === -1 ? null : readLeaf(Buffer.from(line.slice(eventStart.length, end), 'utf8'));
  const rest = lineEnd.exec(line.slice(end));
  if (reading?.outcome !== 'read' || rest === null) return null;
  const { platform, streamId, commitId, actor, personalDigest, recordedAt, ...event } = reading.event;
  return {
    ...event,
    platform: platform as PlatformId,
    streamId: streamId as StreamId,
    commitId: commitId as CommitId,
    // As the log had it: a leaf is a row of it.
    actor: actor as unknown as Actor,
    personal: rest[1] === undefined ? null : Buffer.from(rest[1], 'base64'),
    hasPersonal: personalDigest !== null,
    recordedAt: Date.parse(recordedAt),
  };
};

/**
 * The events of an archive or another excerpt, in order and one at a time, whether gzipped or not. They are read as they stand there:
 * that they are those of the log is what `grantlog audit verify --export` says.
 *
 * @throws Problem where there is no such file, or it is none
 */
export const readExcerptFile = async function* (path: string): AsyncGenerator<FiledEvent> {
  const file = createReadStream(path);
  const bytes = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  file.on('error', (error) => bytes.destroy(error));
  const lines = createInterface({ input: bytes, crlfDelay: Number.POSITIVE_INFINITY });
  let place = 0;
  let isWhole = false;
  try {
    for await (const line of lines) {
      place += 1;
      if (place === 1 && !line.startsWith('{"excerpt":"grantlog/v1"'))
        throw new Problem(`${path} is no excerpt of a log`, 'give a file that audit archive or audit export --format excerpt wrote');
      if (line.startsWith('{"end":')) isWhole = true;
      if (!line.startsWith(eventStart)) continue;
      const event = eventOf(line);
      if (event === null) throw new Problem(`Line ${place} of ${path} is no event`, 'run grantlog audit verify --export on it');
      yield event;
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (systemErrorCode(error) === 'ENOENT') throw new Problem(`There is no file ${path}`, 'check the path');
    throw new Problem(
      `${path} cannot be read to its end: ${error instanceof Error ? error.message : String(error)}`,
      'fetch it again from where it is kept',
    );
  }
  if (!isWhole) throw new Problem(`${path} was cut off after line ${place}`, 'fetch it again from where it is kept');
};
