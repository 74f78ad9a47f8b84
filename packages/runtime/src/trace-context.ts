/** Where something stands in a trace. */
export type TraceContext = {
  /** 16 bytes, as lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 8 bytes, as lower-case hexadecimal digits. */
  readonly spanId: string;
  readonly flags: number;
};

/**
 * A trace that begins here is sampled: every request of it is logged, every event and attempt kept. A receiver that goes by
 * its parent's flag, as OpenTelemetry's do unless told otherwise, would else record nothing of a webhook.
 */
const sampled = 0x01;
/** `sampled` and `random-trace-id`; what the others will mean nobody knows yet, and they are sent as zeros (§3.2.2.5). */
const knownFlags = 0x03;

// Anything after the flags is of a version to come; all zeros name nothing (§3.2.2).
const form = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * Reads a `traceparent`; null where it is none. Of a later version the members that are known are read.
 *
 * @see https://www.w3.org/TR/trace-context-2/#traceparent-header
 */
export const parseTraceparent = (text: string): TraceContext | null => {
  const [, version, traceId = '', spanId = '', flags = '', more] = form.exec(text) ?? [];
  if (version === undefined || (version === '00' && more !== undefined)) return null;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) & knownFlags };
};

/** A trace context as version 00 of `traceparent` spells it. */
export const spellTraceparent = ({ traceId, spanId, flags }: TraceContext): string =>
  `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;

/**
 * The span of something that has a UUID, which names it: its second half is the span id. Where no trace goes on, the whole
 * UUID is the id of the trace that it begins.
 */
export const spanOf = (id: string, parent: TraceContext | null): TraceContext => {
  const digits = id.replaceAll('-', '');
  return { traceId: parent?.traceId ?? digits, spanId: digits.slice(16), flags: parent?.flags ?? sampled };
};

/** The trace that stands in a record, or the one that the record's own UUID begins: nobody asked for it, or it is older than traces. */
export const recordedTrace = ({ traceparent, id }: { readonly traceparent: string | null; readonly id: string }): TraceContext =>
  parseTraceparent(traceparent ?? '') ?? spanOf(id, null);
