import type pg from 'pg';

/** A pool as other packages name it: only this package imports the driver. */
export type Database = pg.Pool;

/** One connection inside a transaction that somebody else began and will end. */
export type Transaction = pg.PoolClient;
