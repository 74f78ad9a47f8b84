import { gzipSync } from 'node:zlib';
import type { AttemptOutcome } from '@grantlog/postgres';
import { answering, dripping, endless } from '../../../../packages/egress/test/support/behaviours.ts';
import { type Behaviour, openRawServer, type RawServer } from '../../../../packages/egress/test/support/raw-server.ts';
import { rebindingHost } from './watched-process.ts';

export type HostileReceiver = {
  readonly does: string;
  readonly url: string;
  /** How an attempt at it ends, and what is said of it. */
  readonly outcome: AttemptOutcome;
  readonly detail: RegExp;
  /** Where it listens, if it does. */
  readonly server: RawServer | null;
};

const ok = 'HTTP/1.1 200 OK\r\n';
const failure = 'HTTP/1.1 500 No\r\n';
const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024));
const inTime = /did not answer in time/;
const closed = /closed the connection/;

/** Those that keep a request for as long as they may. */
const slow: readonly (readonly [does: string, behave: Behaviour])[] = [
  ['never answers', () => undefined],
  ['sends its headers a byte at a time', dripping(ok, 'x')],
  ['sends its body a byte at a time', dripping(`${ok}content-length: 100000\r\n\r\n`, 'x')],
];

const quick: readonly (readonly [does: string, behave: Behaviour, outcome: AttemptOutcome, detail: RegExp])[] = [
  ['sends a body without end', endless(`${failure}\r\n`, 'x'.repeat(65_536)), 'rejected', /status 500/],
  [
    'answers with a gzip bomb',
    answering(Buffer.concat([Buffer.from(`${failure}content-encoding: gzip\r\n\r\n`), bomb])),
    'rejected',
    /500/,
  ],
  ['redirects to the metadata of a cloud', redirecting('http://169.254.169.254/latest/meta-data/'), 'rejected', /status 307/],
  ['resets within its headers', answering(`${ok}content-le`, 'reset'), 'unreachable', closed],
  ['sends headers without end', endless(ok, 'a: b\r\n'.repeat(10_000)), 'unreachable', /too many or too long headers/],
  ['sends one header without end', endless(`${ok}a: `, 'x'.repeat(65_536)), 'unreachable', /too many or too long headers/],
  ['sends less than its length says', answering(`${ok}content-length: 1000\r\n\r\nok`, 'end'), 'unreachable', closed],
  ['sends more than its length says', answering(`${failure}content-length: 2\r\n\r\n${'x'.repeat(100_000)}`), 'rejected', /status 500/],
  [
    'gives two lengths',
    answering(`${ok}content-length: 2\r\ncontent-length: 3\r\n\r\nok!`),
    'unreachable',
    /not valid HTTP|closed the connection/,
  ],
];

function redirecting(to: string): Behaviour {
  return answering(`HTTP/1.1 307 Away\r\nlocation: ${to}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, 'end');
}

/** One receiver of each kind, and a server that none of them may bring us to. */
export const openHostileReceivers = async () => {
  const inside = await openRawServer(answering(`${ok}content-length: 0\r\n\r\n`));
  const open = async (does: string, behave: Behaviour, outcome: AttemptOutcome, detail: RegExp): Promise<HostileReceiver> => {
    const server = await openRawServer(behave);
    return { does, url: `${server.url}/hook`, outcome, detail, server };
  };
  const nowhere = (does: string, url: string): HostileReceiver => ({
    does,
    url,
    outcome: 'refused',
    detail: /could not be reached/,
    server: null,
  });
  const slowOnes = await Promise.all(slow.map(([does, behave]) => open(does, behave, 'unreachable', inTime)));
  const quickOnes = [
    ...(await Promise.all(quick.map((each) => open(...each)))),
    await open('redirects to what is beside us', redirecting(`${inside.url}/secret`), 'rejected', /status 307/),
    nowhere('is the metadata of a cloud', 'http://169.254.169.254/latest/meta-data/'),
    nowhere('has a name that leads inside', `http://${rebindingHost}:${inside.port}/hook`),
  ];
  return {
    slow: slowOnes,
    quick: quickOnes,
    inside,
    close: async (): Promise<void> => {
      await Promise.all([inside, ...[...slowOnes, ...quickOnes].map(({ server }) => server)].map((server) => server?.close()));
    },
  };
};
