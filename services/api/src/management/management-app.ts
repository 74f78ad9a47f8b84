import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Pool } from '@grantlog/postgres';
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify';
import type { Deps } from '../deps.ts';
import type { OperatorGate } from './gate.ts';

/** What routes of the management API are added to: their schemas type their requests and replies. */
export type ManagementApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export type ManagementDeps = Deps & { readonly pool: Pool; readonly gate: OperatorGate };
