import {
  ConfigError,
  createLogger,
  createMetrics,
  createOpsServer,
  createShutdown,
  describeConfig,
  type ServiceConfig,
} from '@grantlog/runtime';
import { createApp } from './app.ts';
import { compose } from './compose.ts';
import { readConfigOfApi } from './config.ts';

const run = async (config: ServiceConfig): Promise<void> => {
  const logger = createLogger({ service: 'api', level: config.logLevel });
  const shutdown = createShutdown({ log: logger });
  // A launcher that dies without a word closes the channel; nobody would stop us later.
  process.on('disconnect', () => void shutdown.begin('the launcher is gone'));
  logger.info(describeConfig(config), 'starting');
  const deps = await compose(config, logger);
  shutdown.register('database', deps.stop);
  const metrics = createMetrics({ service: 'api' });
  const requests = metrics.timer({
    name: 'http_request_seconds',
    help: 'Time of an answered request',
    labels: ['endpoint', 'method', 'status'],
  });
  const ops = createOpsServer({
    host: config.host,
    port: config.opsPort,
    metrics,
    log: logger,
    checks: { database: async () => void (await deps.pool.query('select 1 from grantlog.log limit 1')) },
  });
  shutdown.register('operations', () => ops.close());
  const app = await createApp({ ...deps, logger, onAnswered: ({ seconds, ...labels }) => requests.observe(labels, seconds) });
  shutdown.register('http', () => app.close());
  shutdown.register('readiness', async () => ops.drain());
  shutdown.listen();
  await app.listen({ host: config.host, port: config.port });
  await ops.listen();
  logger.info({ port: config.port, opsPort: config.opsPort }, 'ready');
};

try {
  await run(readConfigOfApi());
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
