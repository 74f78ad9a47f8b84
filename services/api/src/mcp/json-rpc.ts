import type { FastifyReply } from 'fastify';

/** Whether a value is a JSON object and no array. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a JSON value is nested deeper than this many levels; found without recursion, whatever it is. */
export const isDeeperThan = (levels: number, value: unknown): boolean => {
  let level: readonly unknown[] = [value];
  for (let depth = 0; depth <= levels; depth += 1) {
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
    if (level.length === 0) return false;
  }
  return true;
};

/** JSON-RPC 2.0 §5.1, and what MCP answers where a request is refused before it is read. */
export const rpcCodes = { parseError: -32_700, invalidRequest: -32_600, methodNotFound: -32_601, refused: -32_000 } as const;

/** The id that an error answers to: of a single request whose id can be read, else null (JSON-RPC 2.0 §5). */
export const rpcIdOf = (message: unknown): string | number | null => {
  if (!isObject(message) || typeof message['method'] !== 'string') return null;
  const { id } = message;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
};

/** Answers with a JSON-RPC error under an HTTP status of its own; no cache keeps it. */
export const sendRpcError = (
  reply: FastifyReply,
  error: {
    readonly status: number;
    readonly code: (typeof rpcCodes)[keyof typeof rpcCodes];
    readonly message: string;
    readonly data?: object;
    readonly id?: string | number | null;
  },
): FastifyReply => {
  const { status, code, message, data, id = null } = error;
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .send({ jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } });
};
