import { createServer, request } from 'node:http';

/** A front that passes every request on under another `Host`: what DNS and a proxy do for a platform with a host of its own. */
export const startFront = async (options: { readonly host: string; readonly target: () => string }) => {
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', options.target());
    const passed = request(url, { method: incoming.method, headers: { ...incoming.headers, host: options.host } }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('the front has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
