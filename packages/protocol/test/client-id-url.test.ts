import { describe, expect, test } from 'vitest';
import { parseClientId } from '../src/index.ts';

describe('a client_id', () => {
  test.each([
    ['https://claude.ai/oauth/mcp-oauth-client-metadata', 'claude.ai'],
    ['https://chatgpt.com/oauth/IbUR3zxyNQ16/client.json', 'chatgpt.com'],
    ['https://vscode.dev/oauth/client-metadata.json', 'vscode.dev'],
    ['https://clients.example:8443/a', 'clients.example'],
    ['https://clients.example/a?v=2', 'clients.example'],
    ['https://clients.example/%20a', 'clients.example'],
    ['https://xn--bcher-kva.example/a', 'xn--bcher-kva.example'],
  ])('%s is the URL of a document at %s', (url, host) => {
    expect(parseClientId(url)).toEqual({ kind: 'url', url, host });
  });

  test.each(['agent', 'JkXu2Yd8-_QrB0', 'urn:agent:1', 'ftp://clients.example/a', 'httpsx', 'com.example.app:/x'])('%s is a name', (id) => {
    expect(parseClientId(id)).toEqual({ kind: 'name' });
  });

  test.each([
    ['http://clients.example/a', 'https'],
    ['HTTPS://clients.example/a', 'normal form'],
    ['https:/clients.example/a', 'no host'],
    ['https:clients.example/a', 'no host'],
    ['https:///a', 'no host'],
    ['https://clients.example', 'no path'],
    ['https://clients.example/', 'no path'],
    ['https://clients.example?a', 'no path'],
    ['https://clients.example/?a', 'no path'],
    ['https://clients.example/a#b', 'fragment'],
    ['https://clients.example/a#', 'fragment'],
    ['https://me@clients.example/a', 'user name'],
    ['https://me:pw@clients.example/a', 'user name'],
    ['https://@clients.example/a', 'user name'],
    ['https://clients.example/./a', 'dot segments'],
    ['https://clients.example/a/..', 'dot segments'],
    ['https://clients.example/../a', 'dot segments'],
    ['https://clients.example/%2e/a', 'dot segments'],
    ['https://clients.example/%2E%2e/a', 'dot segments'],
    ['https://clients.example/.%2e', 'dot segments'],
    ['https://Clients.example/a', 'normal form'],
    ['https://clients.example:443/a', 'normal form'],
    ['https://clients.example:/a', 'normal form'],
    ['https://clients.example:08443/a', 'normal form'],
    ['https://%63lients.example/a', 'normal form'],
    ['https://2130706433/a', 'normal form'],
    ['https://0x7f.1/a', 'normal form'],
    ['https://clients.example./a', 'dot'],
    ['https://clients.example\\a', 'characters'],
    ['https://clients.example/a b', 'characters'],
    ['https://clients.example/a\n', 'characters'],
    ['https://clients.example/\ta', 'characters'],
    [' https://clients.example/a', null],
    ['https://bücher.example/a', 'characters'],
    ['https://clients.example/%zz', 'characters'],
    [`https://clients.example/${'a'.repeat(500)}`, 'longer than 500'],
  ])('%j is no URL of a document (MC-10, MC-11)', (id, why) => {
    const parsed = parseClientId(id);
    if (why === null) expect(parsed).toEqual({ kind: 'name' });
    else expect(parsed).toEqual({ kind: 'refused', why: expect.stringContaining(why) });
  });
});
