import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLogger, createShutdown } from '../src/index.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const start = () => {
  const lines: string[] = [];
  const exits: number[] = [];
  const signals = new EventEmitter();
  const host = { on: signals.on.bind(signals), exit: (code: number) => void exits.push(code) };
  const log = createLogger({ service: 'api', level: 'info', destination: { write: (line) => void lines.push(line) } });
  const shutdown = createShutdown({ log, process: host });
  shutdown.listen();
  return { shutdown, signals, exits, out: () => lines.join('') };
};
const settle = () => vi.advanceTimersByTimeAsync(0);

describe('shutting down', () => {
  test.each(['SIGTERM', 'SIGINT'])('on %s runs the steps in reverse order, one after another, once, and exits with 0', async (signal) => {
    const { shutdown, signals, exits } = start();
    const order: string[] = [];
    for (const name of ['pool', 'worker', 'http']) {
      shutdown.register(name, async () => {
        order.push(`${name} begins`);
        await Promise.resolve();
        order.push(`${name} ends`);
      });
    }
    signals.emit(signal);
    signals.emit(signal);
    await settle();
    expect(order).toEqual(['http begins', 'http ends', 'worker begins', 'worker ends', 'pool begins', 'pool ends']);
    expect(exits).toEqual([0]);
  });

  test('goes on after a step that fails, and exits with 1', async () => {
    const { shutdown, signals, exits, out } = start();
    const done = vi.fn();
    shutdown.register('pool', done);
    shutdown.register('worker', () => Promise.reject(new Error('stuck')));
    signals.emit('SIGTERM');
    await settle();
    expect(done).toHaveBeenCalledOnce();
    expect(exits).toEqual([1]);
    expect(out()).toContain('"step":"worker"');
  });

  test('exits with 1 at the deadline and names the step that hung', async () => {
    const { shutdown, signals, exits, out } = start();
    shutdown.register('pool', () => undefined);
    shutdown.register('worker', () => new Promise(() => undefined));
    signals.emit('SIGTERM');
    await vi.advanceTimersByTimeAsync(24_999);
    expect(exits).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(exits).toEqual([1]);
    expect(out()).toContain('"step":"worker"');
    expect(out()).toContain('shutdown hung');
  });

  test('takes a signal repeated right away for the same wish, and a later one for impatience', async () => {
    const { shutdown, signals, exits } = start();
    shutdown.register('worker', () => new Promise(() => undefined));
    signals.emit('SIGINT');
    signals.emit('SIGTERM');
    await vi.advanceTimersByTimeAsync(900);
    expect(exits).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    signals.emit('SIGINT');
    expect(exits).toEqual([1]);
  });

  test.each(['uncaughtException', 'unhandledRejection'])('ends in order with 1 on %s (PR-03)', async (event) => {
    const { shutdown, signals, exits, out } = start();
    const step = vi.fn();
    shutdown.register('pool', step);
    signals.emit(event, new Error('a defect'));
    await settle();
    expect(step).toHaveBeenCalledOnce();
    expect(exits).toEqual([1]);
    expect(out()).toContain('a defect');
  });
});
