import type { Pool } from '@grantlog/postgres';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { registerJsonApi } from '../json-api/json-api.ts';
import { createOperatorGate } from '../management/gate.ts';
import type { AuditDeps } from './audit-deps.ts';
import { objectsAsOfRoutes } from './objects-as-of.ts';
import { tokenAsOfRoute } from './token-as-of.ts';
import { treeRoutes } from './tree-routes.ts';

/** The audit trail, for auditors and operators. */
export const auditApi =
  (deps: Deps & { readonly pool: Pool }) =>
  (app: FastifyInstance): Promise<void> => {
    const full: AuditDeps = { ...deps, gate: createOperatorGate(deps, 'audit') };
    return registerJsonApi(app, objectsAsOfRoutes(full), tokenAsOfRoute(full), treeRoutes(full));
  };
