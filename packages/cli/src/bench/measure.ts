import { cpuOfTree } from './cpu.ts';

/** One row of the table: what was done, how fast, and what it cost each side. */
export type Measurement = {
  readonly name: string;
  readonly callers: number;
  readonly operations: number;
  readonly perSecond: number;
  /** Milliseconds, as the caller saw them. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of CPU an operation; null where the system does not tell. */
  readonly nodeCpu: number | null;
  readonly postgresCpu: number | null;
};

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

type Task = {
  readonly name: string;
  readonly callers: number;
  readonly operations: number;
  readonly operation: (index: number, caller: number) => Promise<void>;
};

/** Processes whose CPU is counted; `node` null means this very process. */
type Processes = { readonly node: number | null; readonly postgres: number };

/** What all measurements of one run share. */
export type Run = {
  readonly postgres: number;
  /** Multiplies every number of operations. */
  readonly scale: number;
  readonly onRow: (row: Measurement) => void;
};

/** Makes what measures one task after the other at the run's scale and hands on each row. */
export const createMeter =
  ({ postgres, scale, onRow }: Run, node: Processes['node']) =>
  async (task: Task): Promise<void> =>
    onRow(await measure({ ...task, operations: Math.ceil(task.operations * scale), node, postgres }));

/** Runs `operation` by `callers` at once until `operations` are done, after a warm-up of a tenth. */
const measure = async (task: Task & Processes): Promise<Measurement> => {
  const run = async (count: number, times: number[] | null): Promise<void> => {
    let next = 0;
    await Promise.all(
      Array.from({ length: task.callers }, async (_, caller) => {
        while (next < count) {
          const index = next++;
          const begun = performance.now();
          await task.operation(index, caller);
          times?.push(performance.now() - begun);
        }
      }),
    );
  };
  const nodePid = task.node ?? process.pid;
  await run(Math.ceil(task.operations / 10), null);
  const times: number[] = [];
  const before = { node: await cpuOfTree(nodePid), postgres: await cpuOfTree(task.postgres), own: process.cpuUsage() };
  const begun = performance.now();
  await run(task.operations, times);
  const seconds = (performance.now() - begun) / 1000;
  const own = process.cpuUsage(before.own);
  const after = { node: await cpuOfTree(nodePid), postgres: await cpuOfTree(task.postgres) };
  const perOperation = (from: number | null, to: number | null): number | null =>
    from === null || to === null ? null : (to - from) / task.operations;
  times.sort((a, b) => a - b);
  return {
    name: task.name,
    callers: task.callers,
    operations: task.operations,
    perSecond: task.operations / seconds,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    // This process's tree holds Postgres as well, so its own clock is used for itself.
    nodeCpu: task.node === null ? (own.user + own.system) / task.operations : perOperation(before.node, after.node),
    postgresCpu: perOperation(before.postgres, after.postgres),
  };
};

const cell = (value: number | null, digits: number): string => (value === null ? '-' : value.toFixed(digits));

/** The measurements as a table, columns aligned. */
export const toTable = (rows: readonly Measurement[]): readonly string[] => {
  const head = ['operation', 'callers', 'per second', 'p50 ms', 'p99 ms', 'node µs/op', 'postgres µs/op'];
  const cells = rows.map((row) => [
    row.name,
    String(row.callers),
    row.perSecond.toFixed(0),
    row.p50.toFixed(2),
    row.p99.toFixed(2),
    cell(row.nodeCpu, 0),
    cell(row.postgresCpu, 0),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  return [head, ...cells].map((row) =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0))).join('  '),
  );
};
