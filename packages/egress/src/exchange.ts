import type { Dispatcher } from 'undici';
import { classifyFailure } from './failure.ts';
import type { EgressFailure, EgressOutcome } from './outcome.ts';
import { hasTooMany, plainHeaders } from './response-headers.ts';

/** Where an exchange is: on a connection, or in a line for one. */
export type Holder = {
  /** why it failed if an exchange's time runs out here. */
  readonly late: () => EgressFailure;
  /** Bytes that came over its connection so far, whatever they were. */
  readonly received: () => number;
  /** Hears that the answer is whole. */
  readonly release: () => void;
  /** Lets go of an exchange that has ended before its answer was whole. */
  readonly abandon: (exchange: Exchange) => void;
};

/** Framing that an honest server may need around what is kept: a chunk for every byte, headers, interim responses. */
const allowedOnTheWire = (maxResponseBytes: number): number => 8 * maxResponseBytes + 256 * 1024;

/** One request and its answer. It ends exactly once, whatever the server, the clock and the caller do. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly message: Dispatcher.DispatchOptions;
  readonly #startedAt: number;
  readonly #deadline: number;
  readonly #maxResponseBytes: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: (outcome: EgressOutcome) => void;
  #holder: Holder | null = null;
  /** What its connection had received when it was first looked at. */
  #receivedBefore: number | null = null;
  #isOver = false;
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(plan: {
    readonly message: Dispatcher.DispatchOptions;
    readonly startedAt: number;
    readonly timeoutMs: number;
    readonly maxResponseBytes: number;
    readonly signal: AbortSignal | undefined;
    readonly onEnd: (outcome: EgressOutcome) => void;
  }) {
    this.message = plan.message;
    this.#startedAt = plan.startedAt;
    this.#deadline = plan.startedAt + plan.timeoutMs;
    this.#maxResponseBytes = plan.maxResponseBytes;
    this.#signal = plan.signal;
    this.#onEnd = plan.onEnd;
    plan.signal?.addEventListener('abort', this);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether its time is over, though nobody may have told it yet. */
  isLate(now: number): boolean {
    return now >= this.#deadline;
  }

  heldBy(holder: Holder): void {
    this.#holder = holder;
    this.#receivedBefore = null;
  }

  /** Looks at it from time to time: its time may be over, and a server may send for ever what never becomes an answer. */
  check(now: number): void {
    if (this.isLate(now)) {
      this.stop(this.#holder?.late() ?? 'timeout');
      return;
    }
    const received = this.#holder?.received() ?? 0;
    this.#receivedBefore ??= received;
    if (received - this.#receivedBefore > allowedOnTheWire(this.#maxResponseBytes)) this.stop('oversized');
  }

  /** Ends it without an answer. */
  stop(reason: EgressFailure): void {
    this.#cut({ kind: 'failed', reason, durationMs: this.#elapsed() });
  }

  /** The caller's signal. */
  handleEvent(): void {
    this.stop('other');
  }

  onRequestStart(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Parameters<typeof plainHeaders>[0]): void {
    // Interim responses (RFC 9110 §15.2) come this way, too: the one that counts is the last.
    if (this.#isOver) return;
    if (hasTooMany(controller.rawHeaders)) {
      this.stop('oversized');
      return;
    }
    this.#status = status;
    this.#headers = plainHeaders(headers);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#isOver) return;
    const room = this.#maxResponseBytes - this.#size;
    this.#chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    this.#size += Math.min(chunk.length, room);
    if (chunk.length > room) this.#cut(this.#response(true));
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    // First, so that the caller's next request finds the connection free.
    this.#holder?.release();
    this.#end(this.#response(false));
  }

  onResponseError(_: unknown, error: Error): void {
    const reason = classifyFailure(error);
    if (reason === 'refused') this.#cut({ kind: 'refused', why: 'address_not_allowed' });
    else this.stop(reason);
  }

  #response(truncated: boolean): EgressOutcome {
    const body = Buffer.concat(this.#chunks, this.#size);
    return { kind: 'response', status: this.#status, headers: this.#headers, body, truncated, durationMs: this.#elapsed() };
  }

  #elapsed(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  /** Ends it and its connection: what was not read is never received. */
  #cut(outcome: EgressOutcome): void {
    if (this.#isOver) return;
    this.#end(outcome);
    this.#holder?.abandon(this);
  }

  #end(outcome: EgressOutcome): void {
    this.#isOver = true;
    this.#chunks = [];
    this.#signal?.removeEventListener('abort', this);
    this.#onEnd(outcome);
  }
}
