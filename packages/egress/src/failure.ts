import type { EgressFailure } from './outcome.ts';
import { RefusedDestination } from './outcome.ts';

const connectCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
]);
const resetCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);
const timeoutCodes: ReadonlySet<string> = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT']);
const tlsCode = /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|EPROTO)/;

const isErrorWithCode = (error: unknown): error is Error & { readonly code: string } =>
  error instanceof Error && 'code' in error && typeof error.code === 'string';

/** undici closes the connection on an answer that it has no use for, and calls that by the code of a connection that was closed. */
const isUnusable = (error: Error & { readonly code: string }): boolean =>
  error.code === 'UND_ERR_SOCKET' && /^bad (?:response|upgrade)$/.test(error.message);

/** The error and everything it wraps: causes, and the attempts of a connection that tried several addresses. */
const chain = function* (error: unknown): Generator<unknown> {
  yield error;
  if (error instanceof AggregateError) for (const each of error.errors) yield* chain(each);
  if (error instanceof Error && error.cause !== undefined) yield* chain(error.cause);
};

/** Sorts what undici and the system threw into the few kinds that decide about a retry. */
export const classifyFailure = (error: unknown): EgressFailure | 'refused' => {
  const all = [...chain(error)];
  if (all.some((each) => each instanceof RefusedDestination)) return 'refused';
  for (const each of all) {
    if (!isErrorWithCode(each)) continue;
    if (each.code === 'UND_ERR_HEADERS_OVERFLOW') return 'oversized';
    if (timeoutCodes.has(each.code)) return 'timeout';
    if (connectCodes.has(each.code)) return 'connect';
    if (tlsCode.test(each.code)) return 'tls';
    if ('syscall' in each && typeof each.syscall === 'string' && each.syscall.startsWith('getaddrinfo')) return 'dns';
    if (each.code === 'ENOTFOUND' || each.code === 'EAI_AGAIN') return 'dns';
    if (resetCodes.has(each.code) && !isUnusable(each)) return 'reset';
  }
  return 'other';
};
