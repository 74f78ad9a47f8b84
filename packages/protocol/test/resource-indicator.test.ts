import { describe, expect, test } from 'vitest';
import { canonicalResource, parseResourceIndicator, sameResource } from '../src/index.ts';

describe('a resource indicator', () => {
  test.each([
    ['https://mcp.example', 'https://mcp.example'],
    ['https://mcp.example/', 'https://mcp.example'],
    ['HTTPS://MCP.Example/', 'https://mcp.example'],
    ['https://mcp.example/acme/MCP', 'https://mcp.example/acme/MCP'],
    ['https://mcp.example/acme/', 'https://mcp.example/acme/'],
    ['https://mcp.example//', 'https://mcp.example//'],
    ['https://mcp.example/?a=B', 'https://mcp.example?a=B'],
    ['URN:Example:API', 'urn:Example:API'],
  ])('%s has the canonical form %s', (text, expected) => {
    expect(parseResourceIndicator(text)).toBe(expected);
    expect(parseResourceIndicator(expected)).toBe(expected);
  });

  test.each([
    '',
    'mcp',
    '/mcp',
    '//mcp.example',
    'https://',
    'https:',
    'https://a#',
    'https://a/#x',
    'https://u@a/',
    'https://a b',
    'https://a\\b',
    'https://é',
  ])('refuses %j with invalid_target (TK-25)', (text) => {
    expect(() => parseResourceIndicator(text)).toThrow('invalid_target');
    expect(canonicalResource(text)).toBeNull();
  });

  test.each([
    ['https://a', 'https://a/', true],
    ['https://a/', 'https://A', true],
    ['https://a/mcp', 'https://a/mcp/', false],
    ['https://a/mcp', 'https://a/mcp-other', false],
    ['https://a/mcp', 'https://a/MCP', false],
    ['https://a', 'http://a', false],
    ['https://a', 'https://a:443', false],
    ['https://a', 'https://a//', false],
    ['', '', false],
    ['no uri', 'no uri', false],
  ])('%j and %j name the same: %j (MC-08)', (one, other, expected) => {
    expect(sameResource(one, other)).toBe(expected);
    expect(sameResource(other, one)).toBe(expected);
  });
});
