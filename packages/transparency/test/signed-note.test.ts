import { sha256, signEd25519 } from '@grantlog/crypto';
import { describe, expect, test } from 'vitest';
import {
  cosign,
  judgeNote,
  parseNote,
  readCheckpoint,
  readCosignatures,
  readVerifierKey,
  type SignedNote,
  signCheckpoint,
  signNote,
  verifierKeyOf,
  writeVerifierKey,
} from '../src/index.ts';
import { logSigner, origin, signerOf } from './support/signers.ts';
import { flipped } from './support/stored-tree.ts';

const key = verifierKeyOf(logSigner, 'ed25519');
const root = Buffer.alloc(32, 5);
const checkpoint = { origin, size: 42, root };
const signed = signCheckpoint(checkpoint, logSigner);
const signature = signed.slice(signed.indexOf('—'));
const required = (note: string): SignedNote => {
  const parsed = parseNote(note);
  if (parsed === null) throw new Error('no note');
  return parsed;
};
/** A note that the log's key has signed, whatever it says. */
const saying = (text: string): string => signNote(text, logSigner);

describe('a signed note', () => {
  test('keeps signatures of keys that nobody knows', () => {
    const other = signerOf('other.example/key', 8);
    const line = signNote('a\n', other).slice(3);
    const note = required(signNote('a\n', logSigner) + line);
    expect(note.signatures.map(({ name }) => name)).toEqual([origin, 'other.example/key']);
    expect(judgeNote(note, key)).toBe('signed');
    expect(judgeNote(note, verifierKeyOf(other, 'ed25519'))).toBe('signed');
    expect(judgeNote(note, verifierKeyOf(signerOf('third.example/key', 8), 'ed25519'))).toBe('unsigned');
  });

  test('is text up to its last empty line', () => {
    expect(required(saying('a\n\nb\n')).text).toBe('a\n\nb\n');
  });

  test('is refused when any byte of its text or signature was changed', () => {
    const note = required(signed);
    const [line] = note.signatures;
    if (line === undefined) throw new Error('no signature');
    expect(judgeNote({ ...note, text: note.text.replace('42', '43') }, key)).toBe('bad_signature');
    for (let bit = 0; bit < 512; bit += 7) {
      expect(judgeNote({ ...note, signatures: [{ ...line, bytes: flipped(line.bytes, bit) }] }, key)).toBe('bad_signature');
    }
    expect(judgeNote({ ...note, signatures: [line, { ...line, bytes: line.bytes.subarray(1) }] }, key)).toBe('bad_signature');
  });

  test('counts for nothing where only the name or only the id of its key is known', () => {
    const note = required(signed);
    expect(judgeNote(note, { ...key, keyId: key.keyId + 1 })).toBe('unsigned');
    expect(judgeNote(note, { ...key, name: 'x.example' })).toBe('unsigned');
    expect(judgeNote(note, { ...key, algorithm: 'cosignature/v1' })).toBe('unsigned');
  });

  test.each([
    ['no signature', 'a\n\n'],
    ['no empty line', `a\n${signature}`],
    ['no newline at the end', signed.slice(0, -1)],
    ['a carriage return', signed.replace('\n', '\r\n')],
    ['a tab', signed.replace('42', '4\t2')],
    ['a lone surrogate', signed.replace('42', '\ud800')],
    ['a hyphen for the dash', signed.replace('—', '-')],
    ['two spaces', signed.replace('— ', '—  ')],
    ['something after the signature', signed.replace(/\n$/, ' x\n')],
    ['a name with a plus', signed.replace(`— ${origin}`, '— a+b')],
    ['a name with a no-break space', signed.replace(`— ${origin}`, '— a\u00a0b')],
    ['no name', signed.replace(`— ${origin}`, '— ')],
    ['base64 without its padding', signed.replace(/=+\n$/, '\n')],
    ['base64 for URLs', signed.replace(/[+/]([^ +/]*)$/, '-$1')],
    ['base64 with other unused bits', signed.replace(/.=\n$/, (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}=\n`)],
    ['a signature of four bytes', `a\n\n— ${origin} AAAAAA==\n`],
    ['a line among the signatures that is none', `${signed}x\n`],
    ['more than 100 signatures', `a\n\n${signature.repeat(101)}`],
    ['more than a megabyte', `${'ä'.repeat(500_000)}\n\n${signature}`],
  ])('is not read with %s', (_, note) => {
    expect(note).not.toBe(signed);
    expect(parseNote(note)).toBeNull();
  });

  test('is read with 100 signatures and with nearly a megabyte', () => {
    expect(required(`a\n\n${signature.repeat(100)}`).signatures).toHaveLength(100);
    expect(parseNote(`${'a'.repeat(999_000)}\n\n${signature}`)).not.toBeNull();
  });

  test.each([['a'], ['a\tb\n'], ['\ud800\n']])('is not made of %j', (text) => {
    expect(() => saying(text)).toThrow(RangeError);
  });
});

describe('a key of notes', () => {
  const text = writeVerifierKey(key);
  const [name = '', id = '', encoded = ''] = text.split('+');

  test('reads back as it was written', () => {
    expect(readVerifierKey(text)).toEqual(key);
  });

  test.each([
    ['another name', `x${text}`],
    ['another id', text.replace(`+${id}`, '+00000000')],
    ['an id in capitals', text.replace(id, id.toUpperCase())],
    ['an unknown algorithm', `${name}+${id}+Ag${encoded.slice(2)}`],
    ['a short key', `${name}+${id}+${encoded.slice(0, -4)}`],
    ['no key', `${name}+${id}`],
    ['a space in the name', `a b${text.slice(name.length)}`],
    ['a newline', `${text}\n`],
    ['nothing', ''],
  ])('is not read with %s', (_, other) => {
    expect(other).not.toBe(text);
    expect(readVerifierKey(other)).toBeNull();
  });

  test('is not read with a key of another length, though the id is that of it', () => {
    for (const length of [31, 33]) {
      const other = Buffer.concat([Buffer.of(1), Buffer.alloc(length, 3)]);
      const otherId = Buffer.from(sha256(Buffer.concat([Buffer.from(`${name}\n`), other])).subarray(0, 4)).toString('hex');
      expect(readVerifierKey(`${name}+${otherId}+${other.toString('base64')}`)).toBeNull();
    }
  });

  test.each(['', 'a b', 'a+b', 'a\u2003b', 'a\nb'])('has no name like %j', (bad) => {
    expect(() => verifierKeyOf({ ...logSigner, name: bad }, 'ed25519')).toThrow(RangeError);
  });
});

describe('a checkpoint', () => {
  test('reads back when the log has signed it, extensions passed over', () => {
    expect(readCheckpoint(signed, { key })).toMatchObject({ outcome: 'verified', checkpoint });
    const extended = saying(`${required(signed).text}more\n`);
    expect(readCheckpoint(extended, { key })).toMatchObject({ outcome: 'verified', checkpoint });
  });

  test('is refused for another origin than expected, though the key is right', () => {
    expect(readCheckpoint(signed, { key, origin: 'x.example/log' })).toEqual({ outcome: 'refused', reason: 'other_origin' });
    const other = signCheckpoint({ ...checkpoint, origin: 'x.example/log' }, logSigner);
    expect(readCheckpoint(other, { key })).toEqual({ outcome: 'refused', reason: 'other_origin' });
    expect(readCheckpoint(other, { key, origin: 'x.example/log' }).outcome).toBe('verified');
  });

  test('is refused unsigned, or with a signature that is not the key`s', () => {
    const forged = signCheckpoint(checkpoint, signerOf(origin, 8));
    expect(readCheckpoint(forged, { key })).toEqual({ outcome: 'refused', reason: 'unsigned' });
    expect(readCheckpoint(signed.replace('42', '43'), { key })).toEqual({ outcome: 'refused', reason: 'bad_signature' });
  });

  test.each([
    ['two lines', (text: string) => text.split('\n').slice(0, 2).join('\n').concat('\n')],
    ['a leading zero', (text: string) => text.replace('42', '042')],
    ['a sign', (text: string) => text.replace('42', '+42')],
    ['a size that no double holds', (text: string) => text.replace('42', '9007199254740993')],
    ['a short root', (text: string) => text.replace(/[^\n]*\n$/, 'AAAA\n')],
    ['a root in another spelling', (text: string) => text.replace(/=\n$/, '\n')],
    ['no origin', (text: string) => text.replace(origin, '')],
    ['an empty extension', (text: string) => `${text}\nmore\n`],
  ])('is refused with %s, though it is signed', (_, change) => {
    const text = change(required(signed).text);
    expect(readCheckpoint(saying(text), { key })).toEqual({ outcome: 'refused', reason: 'malformed' });
  });

  test.each([{ size: 1.5 }, { size: -1 }, { size: 2 ** 53 }, { root: new Uint8Array(31) }, { origin: '' }, { origin: 'a\nb' }])(
    'is not signed with %j',
    (part) => {
      expect(() => signCheckpoint({ ...checkpoint, ...part }, logSigner)).toThrow(RangeError);
    },
  );
});

describe('a cosignature', () => {
  const witness = signerOf('witness.example/w1', 9);
  const witnessKey = verifierKeyOf(witness, 'cosignature/v1');
  const line = (timestampSeconds: number, by = witness): string => cosign({ note: required(signed), witness: by, timestampSeconds });

  test('says when a witness saw the checkpoint, and leaves the log`s signature good', () => {
    const note = required(signed + line(1_795_238_400));
    expect(readCosignatures(note, [witnessKey])).toEqual([{ witness: witnessKey, timestampSeconds: 1_795_238_400 }]);
    expect(judgeNote(note, key)).toBe('signed');
  });

  test('counts once a witness, the latest', () => {
    const note = required(signed + line(5) + line(9) + line(7));
    expect(readCosignatures(note, [witnessKey, witnessKey])).toEqual([{ witness: witnessKey, timestampSeconds: 9 }]);
  });

  test('counts once a key, whatever names it has', () => {
    const alias = signerOf('witness.example/w2', 9);
    const note = required(signed + line(5) + line(5, alias));
    expect(readCosignatures(note, [witnessKey, verifierKeyOf(alias, 'cosignature/v1')])).toHaveLength(1);
  });

  test('counts for nothing with another time, text, key or algorithm', () => {
    const note = required(signed + line(5));
    const [own, cosigned] = note.signatures;
    if (own === undefined || cosigned === undefined) throw new Error('no signature');
    const later = { ...cosigned, bytes: flipped(cosigned.bytes, 7 * 8) };
    expect(readCosignatures({ ...note, signatures: [own, later] }, [witnessKey])).toEqual([]);
    expect(readCosignatures({ ...note, signatures: [{ ...cosigned, bytes: cosigned.bytes.subarray(0, 71) }] }, [witnessKey])).toEqual([]);
    expect(readCosignatures({ ...note, text: note.text.replace('42', '43') }, [witnessKey])).toEqual([]);
    expect(readCosignatures(note, [verifierKeyOf(signerOf(witness.name, 10), 'cosignature/v1')])).toEqual([]);
    expect(readCosignatures(note, [verifierKeyOf(witness, 'ed25519')])).toEqual([]);
    expect(readCosignatures({ ...note, signatures: [{ ...cosigned, bytes: cosigned.bytes.subarray(0, 5) }] }, [witnessKey])).toEqual([]);
    expect(readCosignatures(note, [{ ...witnessKey, algorithm: 'ed25519' }])).toEqual([]);
    // A log's signature is not a witness', even where both use one key under one name.
    expect(readCosignatures(required(signed), [{ ...key, algorithm: 'cosignature/v1' }])).toEqual([]);
  });

  test('counts for nothing at a time that no double tells from its neighbour', () => {
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(2n ** 53n);
    const message = Buffer.from(`cosignature/v1\ntime ${2n ** 53n}\n${required(signed).text}`);
    const bytes = Buffer.concat([time, signEd25519(witness.key, message)]);
    const note = { ...required(signed), signatures: [{ name: witnessKey.name, keyId: witnessKey.keyId, bytes }] };
    expect(readCosignatures(note, [witnessKey])).toEqual([]);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53])('is not made at %s', (at) => {
    expect(() => line(at)).toThrow(RangeError);
  });
});
