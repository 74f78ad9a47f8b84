export { type RunningWorker, startWorker } from './compose.ts';
export { readConfig } from './config.ts';
