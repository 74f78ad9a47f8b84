import { ConfigError, createLogger, createShutdown } from '@grantlog/runtime';
import { startWorker } from './compose.ts';
import { describeWorkerConfig, readConfig } from './config.ts';

const run = async (): Promise<void> => {
  const config = readConfig();
  const log = createLogger({ service: 'worker', level: config.logLevel });
  const shutdown = createShutdown({ log });
  // A launcher that was killed cannot tell us; the end of its channel does.
  process.on('disconnect', () => shutdown.begin('the launcher is gone'));
  shutdown.listen();
  log.info({ config: describeWorkerConfig(config) }, 'starting');
  try {
    const worker = await startWorker(config, log);
    shutdown.register('operations server', worker.ops.close);
    shutdown.register('worker', worker.stop);
    shutdown.register('readiness', worker.ops.drain);
    const port = await worker.ops.listen();
    log.info({ port }, 'ready');
    process.send?.({ kind: 'ready', opsPort: port });
  } catch (error) {
    log.fatal({ err: error }, 'the worker could not start');
    shutdown.begin('start failed', 1);
  }
};

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
  process.exit(1);
});
