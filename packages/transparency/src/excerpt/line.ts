import { fromBase64, toBase64 } from '../base64.ts';
import { canonicalJson, type JsonObject } from '../canonical-json.ts';
import { hashLength } from '../tree-hash.ts';
import type { Span } from '../tree-shape.ts';

/** Names what the lines mean, so that a later form is told from this one by its first bytes. */
const excerptFormat = 'grantlog/v1';

/** The first line of an excerpt. Of it the checkpoint alone is signed; the others say what its maker says. */
export type ExcerptHead = {
  readonly platform: string;
  readonly lineage: string;
  /** The leaf of index n is the event at position base + n + 1. */
  readonly base: number;
  /** The signed note, whole. */
  readonly checkpoint: string;
  /** What was asked for. That nothing which fits it was left out, no excerpt proves. */
  readonly about: JsonObject;
};

/** A line as it is read; nothing in it has been verified. */
export type ExcerptLine =
  | { readonly kind: 'event'; readonly leaf: Uint8Array; readonly hash: Uint8Array; readonly personal: Uint8Array | null }
  | { readonly kind: 'skip'; readonly span: Span; readonly hashes: readonly Uint8Array[] }
  | { readonly kind: 'end'; readonly events: number };

const eventStart = '{"event":';
const hashStart = ',"hash":"';
// In ASCII, so that a length in characters is one in bytes.
const eventEnd = /^,"hash":"([A-Za-z0-9+/]{43}=)"(?:,"personal":"([A-Za-z0-9+/]*={0,2})")?\}$/;

export const writeHead = ({ platform, lineage, base, checkpoint, about }: ExcerptHead): string =>
  `{"excerpt":"${excerptFormat}","platform":${canonicalJson(platform)},"lineage":${canonicalJson(lineage)},"base":${base},` +
  `"checkpoint":${canonicalJson(checkpoint)},"about":${canonicalJson(about)}}\n`;

/** The leaf is canonical JSON, and stands in the line as it is. */
export const writeEvent = (leaf: Uint8Array, hash: Uint8Array, personal: Uint8Array | null): readonly Uint8Array[] => {
  const sealed = personal === null ? '' : `,"personal":"${toBase64(personal)}"`;
  return [Buffer.from(eventStart, 'latin1'), leaf, Buffer.from(`${hashStart}${toBase64(hash)}"${sealed}}\n`, 'latin1')];
};

export const writeSkip = ({ from, to }: Span, hashes: readonly Uint8Array[]): string =>
  `{"skip":[${from},${to}],"hashes":[${hashes.map((hash) => `"${toBase64(hash)}"`).join(',')}]}\n`;

export const writeEnd = (events: number): string => `{"end":{"events":${events}}}\n`;

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
// What JSON.parse calls an object holds nothing but JSON.
const isJsonObject = (value: unknown): value is JsonObject => isObject(value);
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isHash = (bytes: Uint8Array | null): bytes is Uint8Array => bytes?.byteLength === hashLength;

/** What a line says by JSON, or null for bytes that `write` would not make of it: a line has one spelling. */
const readAs = <Value>(line: Uint8Array, parse: (json: Json) => Value | null, write: (value: Value) => string): Value | null => {
  try {
    const json: unknown = JSON.parse(bufferOf(line).toString('utf8'));
    const value = isObject(json) ? parse(json) : null;
    if (value === null) return null;
    const written = Buffer.from(write(value), 'utf8');
    return Buffer.compare(written.subarray(0, -1), line) === 0 ? value : null;
  } catch {
    return null;
  }
};

/** The head of an excerpt, or null for any line but one that {@link writeHead} writes. */
export const readHead = (line: Uint8Array): ExcerptHead | null => {
  const parse = ({ platform, lineage, base, checkpoint, about }: Json): ExcerptHead | null => {
    if (typeof platform !== 'string' || typeof lineage !== 'string' || typeof checkpoint !== 'string') return null;
    return isCount(base) && isJsonObject(about) ? { platform, lineage, base, checkpoint, about } : null;
  };
  return readAs(line, parse, writeHead);
};

const readEvent = (line: Buffer): ExcerptLine | null => {
  // The last one: a leaf may have such members too, a base64 text no quotation mark.
  const at = line.lastIndexOf(hashStart);
  const [, hashText, personalText] = at === -1 ? [] : (eventEnd.exec(line.toString('latin1', at)) ?? []);
  const hash = hashText === undefined ? null : fromBase64(hashText);
  const personal = personalText === undefined ? null : fromBase64(personalText);
  if (!isHash(hash) || (personalText !== undefined && personal === null)) return null;
  return { kind: 'event', leaf: line.subarray(eventStart.length, at), hash, personal };
};

const readSkip = (line: Uint8Array): ExcerptLine | null => {
  const parse = ({ skip, hashes }: Json): { readonly span: Span; readonly hashes: readonly Uint8Array[] } | null => {
    const [from, to]: readonly unknown[] = Array.isArray(skip) ? skip : [];
    if (!isCount(from) || !isCount(to) || from >= to || !Array.isArray(hashes)) return null;
    const read = hashes.map((text: unknown) => (typeof text === 'string' ? fromBase64(text) : null));
    return read.every(isHash) ? { span: { from, to }, hashes: read } : null;
  };
  const found = readAs(line, parse, ({ span, hashes }) => writeSkip(span, hashes));
  return found === null ? null : { kind: 'skip', ...found };
};

const readEnd = (line: Uint8Array): ExcerptLine | null => {
  const parse = ({ end }: Json): number | null => (isObject(end) && isCount(end['events']) ? end['events'] : null);
  const events = readAs(line, parse, writeEnd);
  return events === null ? null : { kind: 'end', events };
};

/** What a line after the first says, or null for any that is not written so. */
export const readLine = (line: Uint8Array): ExcerptLine | null => {
  const bytes = bufferOf(line);
  const start = bytes.toString('latin1', 0, eventStart.length);
  if (start === eventStart) return readEvent(bytes);
  return start.startsWith('{"skip":') ? readSkip(line) : readEnd(line);
};
