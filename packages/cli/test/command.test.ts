import { parseArgs } from 'node:util';
import { describe, expect, test } from 'vitest';
import { commands } from '../src/command-table.ts';
import { type Command, dispatch, Problem, UsageError } from '../src/index.ts';

const run = async (
  argv: readonly string[],
  table: readonly Command[] = commands,
): Promise<{ code: number; out: string; notes: string }> => {
  const [out, notes]: [string[], string[]] = [[], []];
  const code = await dispatch(table, argv, { environment: {}, out: (line) => out.push(line), note: (line) => notes.push(line) });
  return { code, out: out.join('\n'), notes: notes.join('\n') };
};

const failing = (error: unknown): Command => ({ name: 'fail', summary: 'fail', usage: 'grantlog fail', run: () => Promise.reject(error) });

describe('grantlog', () => {
  test('lists its commands when asked nothing, or for help', async () => {
    for (const argv of [[], ['help'], ['--help'], ['-h']]) {
      const { code, out } = await run(argv);
      expect(code).toBe(0);
      for (const command of commands.filter(({ name }) => name !== 'help')) expect(out).toContain(`  ${command.name}`);
    }
  });

  test('names what exists when a command does not', async () => {
    expect(await run(['strat'])).toMatchObject({
      code: 2,
      notes: expect.stringContaining('start, demo, audit, bench, operator, projections, reset, migrate, help'),
    });
    expect(await run(['help', 'strat'])).toMatchObject({
      code: 2,
      notes: expect.stringContaining('start, demo, audit, bench, operator, projections, reset, migrate'),
    });
  });

  test('explains one command, by help and by its option', async () => {
    expect((await run(['help', 'reset'])).out).toContain('grantlog reset');
    expect((await run(['reset', '--help'])).out).toContain('grantlog reset');
  });

  test('answers a wrong option with the usage and 2', async () => {
    for (const command of ['start', 'reset', 'migrate']) {
      const { code, notes } = await run([command, '--frobnicate']);
      expect(code).toBe(2);
      expect(notes).toContain('--frobnicate');
      expect(notes).toContain(`grantlog ${command}`);
    }
  });

  test('turns a problem into one message, a wrong usage into 2, and lets a defect through', async () => {
    expect(await run(['fail'], [failing(new Problem('It is full.', 'make room.'))])).toEqual({
      code: 1,
      out: '',
      notes: 'It is full.\n  Fix: make room.',
    });
    expect((await run(['fail'], [failing(new UsageError('one id, please'))])).code).toBe(2);
    const parseError = await Promise.resolve()
      .then(() => parseArgs({ args: ['--x'], options: {} }))
      .catch((error: unknown) => error);
    expect((await run(['fail'], [failing(parseError)])).code).toBe(2);
    await expect(run(['fail'], [failing(new TypeError('a defect'))])).rejects.toThrow('a defect');
  });
});
