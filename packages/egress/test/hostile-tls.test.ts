import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority } from '../../../test/support/certificates.ts';
import { besideOthers } from './support/meet.ts';
import { expired, selfSigned } from './support/odd-certificates.ts';
import { type Behaviour, openOver, type RawServer } from './support/raw-server.ts';
import { egress, seesClose, serve, told, wellBehaved } from './support/suite.ts';

const authority = createAuthority();
const trusted = authority.issue(['localhost']);

const serveTls = async (options: TlsOptions, behave: Behaviour = wellBehaved): Promise<RawServer> => {
  const server = await openOver(createTlsServer(options), behave);
  onTestFinished(server.close);
  return server;
};

/** Asks as a client that trusts this authority for this server. */
const ask = async (server: RawServer, ca: string) => {
  const client = egress({ exceptions: [`localhost:${server.port}`], ca, totalTimeoutMs: 2_000 });
  return told(await besideOthers(client, { url: `https://localhost:${server.port}/secret`, method: 'POST', body: 'secret' }));
};

describe('a server of TLS (WH-11)', () => {
  test('is asked where its certificate is in order', async () => {
    expect(await ask(await serveTls(trusted), authority.pem)).toBe(200);
  });

  test.each([
    ['is of a stranger’s authority', trusted, createAuthority().pem],
    ['vouches for itself', selfSigned, authority.pem],
    ['is for another host', authority.issue(['other.localhost']), authority.pem],
    ['has expired', expired, expired.cert],
  ])('is sent nothing where its certificate %s', async (_, certificate, ca) => {
    const server = await serveTls(certificate);
    expect(await ask(server, ca)).toBe('tls');
    expect(server.received()).toBe('');
    await seesClose(server);
  });

  test.each(['TLSv1', 'TLSv1.1'] as const)('is sent nothing where it speaks only %s', async (version) => {
    const server = await serveTls({ ...trusted, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });
    expect(await ask(server, authority.pem)).toBe('tls');
    expect(server.received()).toBe('');
    await seesClose(server);
  });

  test.each([
    ['sends nothing', () => undefined],
    ['sends a part of its greeting', (socket) => socket.once('data', () => socket.write(Buffer.from([0x16, 3, 3, 0x40, 0])))],
  ] satisfies [string, Behaviour][])('is not waited for where its handshake %s', async (_, behave) => {
    const server = await serve(behave);
    const outcome = await besideOthers(egress(), { url: server.url.replace('http:', 'https:'), method: 'GET' });
    expect(told(outcome)).toBe('timeout');
    await seesClose(server);
  });
});

test('a server that ends or breaks its handshake has no TLS', async () => {
  const client = egress({ totalTimeoutMs: 2_000 });
  for (const sent of [Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), Buffer.alloc(64), Buffer.from([0x15, 3, 3, 0, 2, 2, 40])]) {
    const server = await serve((socket) => socket.once('data', () => socket.end(sent)));
    expect(told(await client.request({ url: server.url.replace('http:', 'https:'), method: 'GET' }))).toBe('tls');
    await seesClose(server);
  }
  const silent = await serve((socket) => socket.once('data', () => socket.resetAndDestroy()));
  expect(told(await client.request({ url: silent.url.replace('http:', 'https:'), method: 'GET' }))).toBe('reset');
});
