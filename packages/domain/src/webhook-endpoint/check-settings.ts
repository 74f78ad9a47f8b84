import { isLoopbackHost } from '../platform/urls.ts';
import type { EndpointRegistration, EndpointSettings } from './events.ts';
import { unknownTypes } from './wants.ts';

export type EndpointProblem =
  | 'url_invalid'
  | 'url_insecure'
  | 'url_with_credentials'
  | 'url_with_fragment'
  | 'types_invalid'
  | 'types_unknown'
  | 'concurrency_out_of_range'
  | 'rate_out_of_range'
  | 'description_too_long'
  | 'grants_invalid'
  | 'grants_without_client';

const longestUrl = 2048;
const longestDescription = 500;
const mostTypes = 100;
const mostConcurrent = 100;
const highestRate = 1_000;
const mostGrants = 100;

const urlProblem = (text: string, allowLoopback: boolean): EndpointProblem | null => {
  const url = text.length > longestUrl ? null : URL.parse(text);
  if (url === null) return 'url_invalid';
  // Userinfo would be sent, logged and shown; a receiver's secret is for the signature or the bearer token.
  if (url.username !== '' || url.password !== '') return 'url_with_credentials';
  if (text.includes('#')) return 'url_with_fragment';
  const loopback = isLoopbackHost(url.hostname);
  if (url.protocol === 'https:') return loopback && !allowLoopback ? 'url_insecure' : null;
  return url.protocol === 'http:' && loopback && allowLoopback ? null : 'url_insecure';
};

/** What is wrong with these settings, or null. Whether the address is public is decided at each connection (egress). */
export const endpointProblem = (settings: EndpointSettings, allowLoopback: boolean): EndpointProblem | null => {
  const { url, types, concurrency, description, ratePerSecond = null } = settings;
  // Who polls is not spoken to.
  const problem = settings.signals?.method === 'poll' ? null : urlProblem(url, allowLoopback);
  if (problem !== null) return problem;
  if (types !== null && (types.length === 0 || types.length > mostTypes)) return 'types_invalid';
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > mostConcurrent) return 'concurrency_out_of_range';
  if (ratePerSecond !== null && !(Number.isInteger(ratePerSecond) && ratePerSecond >= 1 && ratePerSecond <= highestRate))
    return 'rate_out_of_range';
  return description.length > longestDescription ? 'description_too_long' : null;
};

/** What is wrong with whom an endpoint is to hear, or null. Whose the grants are is proved by whoever registers it. */
export const audienceProblem = ({
  client,
  session = null,
  grants = null,
}: Pick<EndpointRegistration, 'client' | 'session' | 'grants'>): EndpointProblem | null => {
  if (grants === null) return null;
  if (client === null || session !== null) return 'grants_without_client';
  return grants.length === 0 || grants.length > mostGrants || new Set(grants).size < grants.length ? 'grants_invalid' : null;
};

/** What is wrong with event types that are being asked for. Those of old are left alone: a later version may know them no more. */
export const typesProblem = (types: EndpointSettings['types']): EndpointProblem | null =>
  types === null || unknownTypes(types).length === 0 ? null : 'types_unknown';
