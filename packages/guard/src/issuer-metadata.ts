import { discoveryPaths } from '@grantlog/protocol';
import { ask } from './ask.ts';
import type { Settings } from './options.ts';
import type { OnProblem } from './problem.ts';

type Metadata = Readonly<Record<string, unknown>>;

const metadataUrl = (issuer: string): string => {
  const [inserted] = discoveryPaths(issuer);
  if (inserted === undefined) throw new TypeError(`${issuer} has no place for metadata`);
  return new URL(issuer).origin + inserted.path;
};

/**
 * The metadata of an issuer that was configured, read once, and where it lies. Null, and reported, where it cannot be read or is anybody
 * else's.
 *
 * @see RFC 8414 §3
 */
export const readIssuerMetadata = async (
  settings: Pick<Settings, 'issuer' | 'fetch' | 'timeoutMs'>,
  report: OnProblem,
): Promise<{ readonly url: string; readonly metadata: Metadata } | null> => {
  const url = metadataUrl(settings.issuer);
  const answer = await ask(settings, url, {});
  if (answer.kind === 'failed') report({ kind: 'unreachable', message: `The metadata at ${url} ${answer.why}` });
  else if (answer.kind === 'unusable') report({ kind: 'unusable_metadata', message: `The metadata at ${url} ${answer.why}; check issuer` });
  else if (answer.kind === 'status') {
    const kind = answer.status >= 500 ? 'unreachable' : 'unusable_metadata';
    report({ kind, message: `The metadata at ${url} answered ${answer.status}; check issuer` });
  }
  if (answer.kind !== 'json') return null;

  const { issuer } = answer.body;
  if (issuer === settings.issuer) return { url, metadata: answer.body };
  // RFC 8414 §3.3: a document of anybody else must not be used.
  const found = typeof issuer === 'string' ? `"${issuer}"` : 'none';
  report({
    kind: 'wrong_issuer',
    message: `The metadata at ${url} names the issuer ${found}, not "${settings.issuer}": the two must be exactly the same, so check issuer`,
  });
  return null;
};
