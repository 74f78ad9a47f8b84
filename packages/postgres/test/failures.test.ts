import { LogUnavailable } from '@grantlog/eventsourcing';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { classifyFailure, createPool } from '../src/index.ts';

const sqlState = (code: string): Error => Object.assign(new pg.DatabaseError('no', 2, 'error'), { code });
const systemError = (code: string): Error => Object.assign(new Error(`write ${code}`), { code, syscall: 'write' });

describe('classifyFailure', () => {
  test.each(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT'])('takes %s for a lost reply, which may have committed', (code) => {
    expect(classifyFailure(systemError(code))).toBe('unknown');
  });

  test.each(['57P01', '57P02', '57P03', '57014', '08006', '25006'])('takes SQLSTATE %s for a statement to ask again', (code) => {
    expect(classifyFailure(sqlState(code))).toBe('unknown');
  });

  test.each(['55P03', '40001', '40P01', '53100', '53300', '58030', '28P01', '3D000', '42501', '42883'])(
    'takes SQLSTATE %s for something that did not happen and may later',
    (code) => {
      expect(classifyFailure(sqlState(code))).toBe('unavailable');
    },
  );

  test.each(['22P02', '22P05', '22021', '22003', '23505', '23514'])('takes SQLSTATE %s for a refused value', (code) => {
    expect(classifyFailure(sqlState(code))).toBe('refused');
  });

  test('takes a lock that was not had in time for the same, also with the words for who held it', () => {
    expect(classifyFailure(new LogUnavailable('held by somebody', { cause: sqlState('55P03') }))).toBe('unavailable');
  });

  test('takes the code of the log for an unknown platform', () => {
    expect(classifyFailure(sqlState('GL001'))).toBe('unknown_platform');
  });

  test('knows the errors of a real pool: a server that nobody runs', async () => {
    const nowhere = createPool({ connectionString: 'postgres://127.0.0.1:1/nothing', role: 'grantlog_api', max: 1 });
    const error = await nowhere.query('select 1').catch((cause: unknown) => cause);
    await nowhere.end();
    expect(classifyFailure(error)).toBe('unknown');
  });
});
