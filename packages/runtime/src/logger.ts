import { type Bindings, type ChildLoggerOptions, type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { redactValue } from './redaction.ts';

export type { Logger };

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const redactObject = (given: Record<string, unknown>): Record<string, unknown> => redactValue(given) as Record<string, unknown>;

/** pino copies the message of a lone error as it is; giving it one of ours keeps the original out. */
const withMessage = (given: readonly unknown[]): readonly unknown[] => {
  const [first, ...rest] = given;
  if (first instanceof Error) return [{ err: first }, rest[0] ?? first.message, ...rest.slice(1)];
  if (typeof first === 'object' && first !== null && 'err' in first && first.err instanceof Error && rest.length === 0)
    return [first, first.err.message];
  return given;
};

type Child = (this: Logger, bindings: Bindings, options?: ChildLoggerOptions) => Logger;

/** pino formats the bindings of its root alone, so those of children are redacted on their way in. Children inherit both methods. */
const redactBindings = (logger: Logger): Logger => {
  // Its signature is generic over levels that a child may add; ours add none.
  const child = logger.child as unknown as Child;
  const { setBindings } = logger;
  const redactingChild: Child = function (bindings, options) {
    return child.call(this, redactObject(bindings), options);
  };
  logger.child = redactingChild as unknown as Logger['child'];
  logger.setBindings = function (this: Logger, bindings) {
    setBindings.call(this, redactObject(bindings));
  };
  return logger;
};

/**
 * Makes the JSON logger of a process. Every object, binding, message and error passes the redaction, at any depth,
 * so that a secret logged by mistake is still not written.
 *
 * @param options.destination where the lines go; standard output by default.
 */
export const createLogger = (options: {
  readonly service: string;
  readonly level: LogLevel;
  readonly destination?: DestinationStream;
}): Logger => {
  const logger = pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: stdTimeFunctions.isoTime,
      formatters: {
        level: (level) => ({ level }),
        log: redactObject,
      },
      // The formatters see errors first; pino's own serializer would copy every member of them.
      serializers: { err: (error: unknown) => error },
      hooks: {
        logMethod: function (given, method) {
          const args = withMessage(given).map((each, index) => (index > 0 || typeof each === 'string' ? redactValue(each) : each));
          // pino types the first argument as its template; what follows keeps the order that it had.
          method.apply(this, args as Parameters<typeof method>);
        },
      },
    },
    ...(options.destination === undefined ? [] : [options.destination]),
  );
  return redactBindings(logger);
};
