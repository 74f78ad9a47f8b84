import { collectDefaultMetrics, Histogram, Counter as PromCounter, Gauge as PromGauge, Registry } from 'prom-client';

/**
 * Every label there is. Each has few values, known when the code is written; who used the server (a platform, a client,
 * an account) is none of them: it would leak tenants to whoever reads dashboards, and grow without end.
 */
export type Label = 'backend' | 'endpoint' | 'lane' | 'method' | 'operation' | 'outcome' | 'reason' | 'state' | 'status' | 'subscription';

type LabelValues<L extends Label> = Readonly<Record<L, string | number>>;

export type Counter<L extends Label> = { readonly add: (labels: LabelValues<L>, by?: number) => void };
export type Gauge<L extends Label> = { readonly set: (labels: LabelValues<L>, value: number) => void };
/** Durations in seconds. */
export type Timer<L extends Label> = { readonly observe: (labels: LabelValues<L>, seconds: number) => void };

type Description<L extends Label> = { readonly name: string; readonly help: string; readonly labels: readonly L[] };

/** The metrics of one process. Names carry the prefix `grantlog_`. */
export type Metrics = {
  readonly counter: <L extends Label>(metric: Description<L>) => Counter<L>;
  readonly gauge: <L extends Label>(metric: Description<L>) => Gauge<L>;
  /** `upTo` adds buckets for what may take longer than ten seconds: each tenfold, up to so many seconds. */
  readonly timer: <L extends Label>(metric: Description<L> & { readonly upTo?: number }) => Timer<L>;
  /** The exposition text that Prometheus scrapes. */
  readonly render: () => Promise<string>;
  readonly contentType: string;
};

/** From half a millisecond, which an append takes, to the ten seconds of a webhook attempt. */
const durationBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const named = <L extends Label>(metric: Description<L>, registry: Registry) => ({
  name: `grantlog_${metric.name}`,
  help: metric.help,
  labelNames: [...metric.labels],
  registers: [registry],
});

/** Makes a registry of its own with the process metrics of Node (CPU, memory, event-loop lag, garbage collection). */
export const createMetrics = (options: { readonly service: string }): Metrics => {
  const registry = new Registry();
  registry.setDefaultLabels({ service: options.service });
  collectDefaultMetrics({ register: registry });
  return {
    counter: (metric) => {
      const counter = new PromCounter(named(metric, registry));
      return { add: (labels, by = 1) => counter.inc({ ...labels }, by) };
    },
    gauge: (metric) => {
      const gauge = new PromGauge(named(metric, registry));
      return { set: (labels, value) => gauge.set({ ...labels }, value) };
    },
    timer: (metric) => {
      const longer = [100, 1_000, 10_000, 100_000].filter((seconds) => seconds <= (metric.upTo ?? 0));
      const histogram = new Histogram({ ...named(metric, registry), buckets: [...durationBuckets, ...longer] });
      return { observe: (labels, seconds) => histogram.observe({ ...labels }, seconds) };
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
};
