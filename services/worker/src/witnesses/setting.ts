import { isLoopbackHost, type Setting } from '@grantlog/runtime';
import { readVerifierKey } from '@grantlog/transparency';
import type { Witness } from './witness.ts';

/** Verifiers of notes need not read more than sixteen signatures, and one is the log's (C2SP signed-note). */
const most = 15;

const parseUrl = (text: string): string | string[] => {
  const url = URL.parse(text);
  if (url === null) return ['has a URL that is none'];
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) return ['has a URL that is not https'];
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return ['has a URL with more than host, port and path'];
  return url.href.replace(/\/+$/, '');
};

/** A witness, or what is wrong with it. */
const parseEntry = (entry: string): Witness | readonly [wrong: string] => {
  if (entry.startsWith('file:')) {
    const folder = entry.replace(/^file:(?:\/\/(?=\/))?/, '').replace(/(?<=.)\/+$/, '');
    return folder.startsWith('/') ? { kind: 'file', id: `file:${folder}`, folder } : ['names a folder that does not begin with /'];
  }
  const [id = '', prefix, ...more] = entry.split(/\s+/);
  if (prefix === undefined || more.length > 0) return ['is neither file: and a folder nor a verifier key and a URL'];
  const key = readVerifierKey(id);
  if (key === null) return ['has a verifier key that is none'];
  if (key.algorithm === 'ed25519') return ['has the key of a log, where that of a witness is needed'];
  const url = parseUrl(prefix);
  return typeof url === 'string' ? { kind: 'cosigner', id, key, url } : [url[0] ?? ''];
};

/** Witnesses, each `file:` and a folder, or a verifier key and a submission prefix; separated by commas or line breaks. */
export const witnessList: Setting<readonly Witness[]> = {
  name: 'GRANTLOG_WITNESSES',
  fix: 'List witnesses, separated by commas: file:/folder, or the verifier key of a witness (C2SP vkey, cosignature), a space and its submission prefix, such as witness.example/w1+0a1b2c3d+BGq7… https://witness.example/log',
  absent: { kind: 'value', value: [] },
  parse: (text) => {
    const wrong = (why: string) => ({ kind: 'wrong', wrong: why }) as const;
    const entries = text.split(/[,\n]/).flatMap((entry) => (entry.trim() === '' ? [] : [entry.trim()]));
    if (entries.length > most) return wrong(`has more than ${most} entries`);
    const witnesses: Witness[] = [];
    for (const [index, entry] of entries.entries()) {
      const read = parseEntry(entry);
      const where = `has an entry (the ${index + 1}.) that`;
      if (!('kind' in read)) return wrong(`${where} ${read[0]}`);
      if (witnesses.some(({ id }) => id === read.id)) return wrong(`${where} is there already`);
      witnesses.push(read);
    }
    return { kind: 'value', value: witnesses };
  },
};

/** Where cosigners are, as exceptions of the egress: the operator has named them, so they may be anywhere. */
export const destinationsOf = (witnesses: readonly Witness[]): readonly string[] =>
  witnesses.flatMap((witness) => {
    if (witness.kind === 'file') return [];
    const { hostname, port } = new URL(witness.url);
    return [`${hostname.replace(/\.+$/, '')}:${port === '' ? '443' : port}`];
  });
