import type { Behaviour } from './raw-server.ts';

/** Answers each connection's first bytes. */
export const answering =
  (answer: string | Uint8Array, then: 'keep' | 'end' | 'reset' = 'keep'): Behaviour =>
  (socket) => {
    socket.once('data', () => {
      if (then === 'end') socket.end(answer);
      else socket.write(answer, () => then === 'reset' && socket.resetAndDestroy());
    });
  };

/** Begins an answer and goes on for ever, as fast as the other side takes it. */
export const endless =
  (begin: string, more: string | Uint8Array): Behaviour =>
  (socket) => {
    socket.once('data', () => {
      socket.write(begin);
      const go = (): void => {
        if (!socket.destroyed) socket.write(more, () => setImmediate(go));
      };
      go();
    });
  };

/** Begins an answer and sends the rest a byte at a time. */
export const dripping =
  (begin: string, drop: string): Behaviour =>
  (socket) => {
    socket.once('data', () => {
      socket.write(begin);
      const drip = setInterval(() => socket.write(drop), 20);
      socket.on('close', () => clearInterval(drip));
    });
  };
