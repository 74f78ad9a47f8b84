import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashLeaf, verifyExcerpt } from '../src/index.ts';
import { base, fileOf, hashes, linesOf, log, logged, noteAt, noteOf, pick, range, verify, write } from './support/excerpts.ts';
import { logSigner, signerOf } from './support/signers.ts';
import { flipped } from './support/stored-tree.ts';

const base64 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('base64');
// Lines: 1 head, 2 skip [0, 5), 3 to 7 the events of 5 to 9, 8 skip [10, 100), 9 skip [100, 290), 10 to 12 the events of 290 to 292, 13 skip, 14 end.
const part = { size: 600, events: pick([...range(5, 10), 290, 291, 292]), boundaries: [100] };
const kept = [noteAt(100), noteAt(600)];
const lines = linesOf(await write(part));
const line = (number: number): string => lines[number - 1] ?? '';
const withLine = (number: number, change: (line: string) => string): string => {
  const changed = change(line(number));
  expect(changed).not.toBe(line(number));
  return fileOf(lines.with(number - 1, changed));
};
const without = (number: number): string => fileOf(lines.toSpliced(number - 1, 1));
/** The same bytes: of the last letter before the equals sign two bits count for nothing. */
const respelled = (text: string): string => `${text.slice(0, -2)}${String.fromCharCode(text.charCodeAt(text.length - 2) + 1)}=`;
const lineOf = ({ leaf }: { readonly leaf: Uint8Array }): string =>
  `{"event":${Buffer.from(leaf).toString('utf8')},"hash":"${base64(hashLeaf(leaf))}"}`;
const replaced = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);

describe('an excerpt that was tampered with', () => {
  test('is verified as long as nobody does', async () => {
    expect(await verify(fileOf(lines), kept)).toMatchObject({ kind: 'verified', events: 8, uncompared: [] });
  });

  test('is refused with any bit of it flipped, but in what its head says unsigned', async () => {
    const bytes = Buffer.from(fileOf(lines), 'utf8');
    const unsigned = [line(1).indexOf('"lineage":'), line(1).indexOf(',"base"'), line(1).indexOf(',"about":'), line(1).length] as const;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.byteLength * 8 - 1 }), async (bit) => {
        const { kind } = await verify(flipped(bytes, bit));
        const at = Math.floor(bit / 8);
        const mayPass = (at > unsigned[0] && at < unsigned[1]) || (at > unsigned[2] && at < unsigned[3]);
        if (!mayPass) expect(kind).not.toBe('verified');
      }),
      { numRuns: 1_500 },
    );
  });

  test('is refused when it was cut off anywhere', async () => {
    const bytes = Buffer.from(fileOf(lines), 'utf8');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.byteLength - 1 }), async (length) => {
        expect((await verify(bytes.subarray(0, length), [], 300)).kind).not.toBe('verified');
      }),
      { numRuns: 300 },
    );
    expect(await verify(fileOf(lines.slice(0, -1)))).toMatchObject({ kind: 'misfit', line: 14, fault: 'cut_off' });
    expect(await verify(fileOf(lines).slice(0, -1))).toMatchObject({ kind: 'misfit', line: 14, fault: 'cut_off' });
    expect(await verify('')).toMatchObject({ kind: 'misfit', line: 1, fault: 'no_head' });
  });

  test('is refused with any line gone, doubled, moved, or swapped with another', async () => {
    const any = fc.integer({ min: 0, max: lines.length - 1 });
    await fc.assert(
      fc.asyncProperty(any, any, async (one, other) => {
        const [first = '', second = ''] = [lines[one], lines[other]];
        const files = [lines.toSpliced(one, 1), lines.toSpliced(other, 0, first)];
        if (one !== other) files.push(lines.with(one, second).with(other, first), lines.toSpliced(one, 1).toSpliced(other, 0, first));
        for (const file of files) expect((await verify(fileOf(file))).kind).not.toBe('verified');
      }),
      { numRuns: 100 },
    );
  });

  test.each<[string, string, object]>([
    [
      'a changed event',
      withLine(5, replaced('"index":7', '"index":8')),
      { kind: 'event_differs', line: 5, position: base + 8, isSigned: true },
    ],
    ['a changed hash of an event', withLine(5, replaced(/"hash":".(?=.{42}=")/, '"hash":"_')), { line: 5, fault: 'malformed' }],
    [
      'the hash of another event',
      withLine(5, (own) => own.replace(base64(hashes[7]), base64(hashes[8]))),
      { kind: 'event_differs', line: 5, position: base + 8, isSigned: false },
    ],
    [
      'other sealed data',
      withLine(7, replaced(/"personal":"....(?=[^"]+"\}$)/, '"personal":"AAAA')),
      { line: 7, position: base + 10, fault: 'personal_differs' },
    ],
    [
      'sealed data where there is none',
      withLine(5, replaced(/\}$/, ',"personal":"AAAA"}')),
      { line: 5, position: base + 8, fault: 'personal_differs' },
    ],
    [
      'a hash spelled otherwise',
      withLine(5, (own) => own.replace(base64(hashes[7]), respelled(base64(hashes[7])))),
      { line: 5, fault: 'malformed' },
    ],
    [
      'an event behind the checkpoint',
      fileOf([...lines.slice(0, -1), lineOf(logged(600)), '{"end":{"events":9}}']),
      { line: 14, position: base + 601, fault: 'beyond_checkpoint' },
    ],
    ['a missing event', without(5), { line: 5, after: base + 7, position: base + 9, fault: 'order' }],
    ['a missing skip', without(8), { line: 8, after: base + 10, position: base + 101, fault: 'order' }],
    ['a doubled event', fileOf(lines.toSpliced(4, 0, line(5))), { line: 6, after: base + 8, position: base + 8, fault: 'order' }],
    [
      'two swapped events',
      fileOf(lines.with(4, line(6)).with(5, line(5))),
      { line: 5, after: base + 7, position: base + 9, fault: 'order' },
    ],
    [
      'an event at another position',
      withLine(5, replaced(`"position":${base + 8}`, `"position":${base + 90}`)),
      { line: 5, position: base + 90, fault: 'order' },
    ],
    ['an overlapping skip', withLine(8, replaced('[10,', '[9,')), { line: 8, after: base + 10, position: base + 10, fault: 'order' }],
    ['a skip that goes further', withLine(13, replaced(',600]', ',601]')), { line: 13, fault: 'beyond_checkpoint' }],
    ['a skip that ends earlier', withLine(13, replaced(',600]', ',599]')), { line: 13, fault: 'hash_count' }],
    [
      'a skip with one hash more',
      withLine(8, replaced('"]}', `","${base64(hashes[0])}"]}`)),
      { line: 8, position: base + 11, fault: 'hash_count' },
    ],
    ['a skip with one hash less', withLine(8, replaced(/,"[^"]+"\]/, ']')), { line: 8, fault: 'hash_count' }],
    ['a skip of nothing', fileOf(lines.toSpliced(7, 0, '{"skip":[10,10],"hashes":[]}')), { line: 8, fault: 'malformed' }],
    [
      'a swapped pair of hashes',
      withLine(2, (own) => own.replace(/\["([^"]+)","([^"]+)"\]/, '["$2","$1"]')),
      { kind: 'history_differs', after: base, upTo: base + 600 },
    ],
    ['no last skip', without(13), { line: 13, fault: 'too_short', after: base + 293 }],
    ['another count of events', withLine(14, replaced('8', '9')), { line: 14, fault: 'event_count' }],
    ['something after the end', `${fileOf(lines)}${line(14)}\n`, { line: 15, fault: 'after_end' }],
    ['bytes after the end', `${fileOf(lines)}x`, { line: 15, fault: 'cut_off' }],
    ['an empty line', fileOf(lines.toSpliced(4, 0, '')), { line: 5, fault: 'malformed' }],
    ['white space in a line', withLine(5, replaced(/,(?="hash":".{43}=")/, ', ')), { line: 5, fault: 'malformed' }],
    ['white space in a leaf', withLine(5, replaced(',"format"', ', "format"')), { line: 5, position: base + 8, fault: 'not_canonical' }],
    [
      'members of a leaf in another order',
      withLine(5, replaced(/\{"actor":(.*?),"causation_id":null/, '{"causation_id":null,"actor":$1')),
      { line: 5, fault: 'not_canonical' },
    ],
    ['newlines of another system', fileOf(lines).replaceAll('\n', '\r\n'), { line: 1, fault: 'no_head' }],
    ['a leaf of another format', withLine(5, replaced('grantlog-event/1', 'grantlog-event/2')), { line: 5, fault: 'other_format' }],
    ['another platform', withLine(1, replaced('"along"', '"other"')), { line: 3, position: base + 6, fault: 'other_platform' }],
    ['another base', withLine(1, replaced(`"base":${base}`, `"base":${base + 1}`)), { line: 3, fault: 'order' }],
    ['another format', withLine(1, replaced('/v1', '/v2')), { line: 1, fault: 'no_head' }],
    ['no head', without(1), { line: 1, fault: 'no_head' }],
    ['a member of the head twice', withLine(1, replaced('"base"', '"base":1,"base"')), { line: 1, fault: 'no_head' }],
  ])('is refused for %s, which is named', async (_, file, expected) => {
    expect(await verify(file)).toMatchObject({ kind: 'misfit', ...expected });
  });

  test('is placed between two checkpoints where its hashes were forged along with it', async () => {
    const forged = (index: number): string => {
      const { leaf } = logged(index, { index, text: 'forged' });
      const own = linesOf(fileOf(lines)).findIndex((text) => text.includes(`"position":${base + index + 1},`));
      return withLine(own + 1, () => lineOf({ leaf }));
    };
    expect(await verify(forged(7))).toEqual({ kind: 'history_differs', after: base, upTo: base + 600 });
    expect(await verify(forged(7), kept)).toEqual({ kind: 'history_differs', after: base, upTo: base + 100 });
    expect(await verify(forged(291), kept)).toEqual({ kind: 'history_differs', after: base + 100, upTo: base + 600 });
    // What comes first is told, whatever else is wrong behind it.
    expect(await verify(`${forged(7)}x`, kept)).toMatchObject({ kind: 'history_differs', upTo: base + 100 });
    expect(await verify(forged(7).replace('"index":290', '"index":289'), kept)).toMatchObject({
      kind: 'history_differs',
      upTo: base + 100,
    });
  });

  test('is refused for a line that is longer than any', async () => {
    const piece = Buffer.alloc(8 * 1024 * 1024, 0x20);
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${line(1)}\n`);
      for (; ; read += 1) yield piece;
    }
    expect(await verifyExcerpt({ excerpt: endless(), log, trusted: [] })).toMatchObject({ kind: 'misfit', line: 2, fault: 'too_long' });
    expect(read).toBeLessThan(10);
  });
});

describe('the checkpoint of an excerpt', () => {
  const size = 300;
  const other = noteOf(hashes.slice(0, size).with(7, flipped(hashes[7] as Uint8Array)));

  test('is refused when another key signed it, or it is of another log', async () => {
    const note = noteOf(hashes.slice(0, size), signerOf('elsewhere.example/audit', 8));
    expect(await verify(await write({ size, events: [], note }))).toEqual({ kind: 'checkpoint_refused', signed: note, reason: 'unsigned' });
    const stranger = noteOf(hashes.slice(0, size), signerOf(logSigner.name, 8));
    expect(await verify(await write({ size, events: [], note: stranger }))).toMatchObject({ kind: 'checkpoint_refused' });
    const changed = noteAt(size).replace('300', '301');
    expect(await verify(await write({ size, events: [], note: changed }))).toMatchObject({ reason: 'bad_signature' });
  });

  test('is refused when it is not the root of what is there', async () => {
    expect(await verify(await write({ size, events: pick([3]), note: other }))).toEqual({
      kind: 'history_differs',
      after: base,
      upTo: base + size,
    });
  });

  test('proves against a kept one that the key has signed two histories', async () => {
    const file = await write({ size, events: pick([3]), boundaries: [100] });
    expect(await verify(file, [other])).toMatchObject({ kind: 'equivocation', first: { size }, second: { size } });
    const earlier = noteOf(hashes.slice(0, 100).with(50, flipped(hashes[50] as Uint8Array)));
    expect(await verify(file, [earlier])).toMatchObject({ kind: 'equivocation', first: { size: 100 }, second: { size } });
    // Two that are kept, though it reaches neither.
    const later = noteOf(hashes.slice(0, 400).with(7, flipped(hashes[7] as Uint8Array)));
    expect(await verify(file, [noteAt(400), later])).toMatchObject({ kind: 'equivocation', first: { size: 400 }, second: { size: 400 } });
  });

  test('is not compared with one that is not of this log', async () => {
    const file = await write({ size, events: [] });
    expect(await verify(file, ['nothing'])).toEqual({ kind: 'checkpoint_refused', signed: 'nothing', reason: 'malformed' });
  });
});
