import { readIssuerMetadata } from '../issuer-metadata.ts';
import type { Settings } from '../options.ts';
import type { OnProblem } from '../problem.ts';
import { isSecureUrl } from '../secure-url.ts';

/**
 * Where an issuer's key set lies, by its metadata. Null, and reported, where that cannot be told.
 *
 * @see RFC 8414 §2
 */
export const readJwksUri = async (
  settings: Pick<Settings, 'issuer' | 'fetch' | 'timeoutMs'>,
  report: OnProblem,
): Promise<string | null> => {
  const read = await readIssuerMetadata(settings, report);
  if (read === null) return null;
  const url = read.metadata['jwks_uri'];
  if (isSecureUrl(url)) return url;
  report({ kind: 'unusable_metadata', message: `The metadata at ${read.url} names no jwks_uri under https` });
  return null;
};
