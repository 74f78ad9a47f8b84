import { describe, expect, test } from 'vitest';
import { createEgress } from '../src/index.ts';

const strict = createEgress({ allowLoopback: false });
const development = createEgress({ allowLoopback: true });

describe('checking a URL', () => {
  test.each([
    ['https://hooks.example/a?b=1', 'https://hooks.example/a?b=1'],
    ['https://hooks.example:8443/', 'https://hooks.example:8443/'],
    ['https://hooks.example.:443/#x', 'https://hooks.example/'],
    ['https://8.8.8.8/', 'https://8.8.8.8/'],
    ['https://[2606:4700::1111]/', 'https://[2606:4700::1111]/'],
  ])('accepts %s', (url, href) => {
    const checked = strict.checkUrl(url);
    expect(checked.kind === 'ok' && checked.url.href).toBe(href);
  });

  test.each([
    ['', 'malformed_url'],
    ['hooks.example/a', 'malformed_url'],
    ['https://', 'malformed_url'],
    ['https://./', 'malformed_url'],
    ['http://hooks.example/', 'scheme_not_allowed'],
    ['ftp://hooks.example/', 'scheme_not_allowed'],
    ['file:///etc/passwd', 'scheme_not_allowed'],
    ['javascript:alert(1)', 'scheme_not_allowed'],
    ['https://u@hooks.example/', 'credentials_in_url'],
    ['https://:p@hooks.example/', 'credentials_in_url'],
    ['https://hooks.example:22/', 'port_not_allowed'],
    ['https://hooks.example:80/', 'port_not_allowed'],
    ['https://localhost/', 'address_not_allowed'],
    ['https://LOCALHOST./', 'address_not_allowed'],
    ['https://a.localhost/', 'address_not_allowed'],
    ['https://127.0.0.1/', 'address_not_allowed'],
    ['http://127.0.0.1/', 'address_not_allowed'],
    ['https://127.1/', 'address_not_allowed'],
    ['https://2130706433/', 'address_not_allowed'],
    ['https://0x7f.1/', 'address_not_allowed'],
    ['https://0177.0.0.1/', 'address_not_allowed'],
    ['https://１２７.0.0.1/', 'address_not_allowed'],
    ['https://127.0.0.1./', 'address_not_allowed'],
    ['https://0/', 'address_not_allowed'],
    ['https://169.254.169.254/latest/meta-data', 'address_not_allowed'],
    ['https://[::1]/', 'address_not_allowed'],
    ['https://[::ffff:127.0.0.1]/', 'address_not_allowed'],
    ['https://[64:ff9b::7f00:1]/', 'address_not_allowed'],
    ['https://[fd00:ec2::254]/', 'address_not_allowed'],
  ])('refuses %j: %s', (url, why) => {
    expect(strict.checkUrl(url)).toEqual({ kind: 'refused', why });
  });

  test.each(['http://localhost:9000/', 'http://127.0.0.1:1/', 'https://[::1]:9/', 'http://a.localhost/'])(
    'lets development reach %s',
    (url) => {
      expect(development.checkUrl(url).kind).toBe('ok');
      expect(development.checkUrl(url, { allowLoopback: false })).toEqual({ kind: 'refused', why: 'address_not_allowed' });
      expect(strict.checkUrl(url, { allowLoopback: true })).toEqual({ kind: 'refused', why: 'address_not_allowed' });
    },
  );

  test.each(['http://hooks.example/', 'https://10.0.0.1/', 'https://[::ffff:127.0.0.1]/', 'https://hooks.example:9000/'])(
    'refuses %s in development too',
    (url) => {
      expect(development.checkUrl(url).kind).toBe('refused');
    },
  );
});
