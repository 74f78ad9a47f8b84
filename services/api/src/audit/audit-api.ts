import type { Pool } from '@grantlog/postgres';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { registerJsonApi } from '../json-api/json-api.ts';
import { createOperatorGate } from '../management/gate.ts';
import { archivesRoute } from './archives.ts';
import type { AuditDeps } from './audit-deps.ts';
import { auditorsDoor, developersDoor, peoplesDoor } from './doors.ts';
import { eventRoutes } from './event-routes.ts';
import { lineageRoute } from './lineage.ts';
import { liveGrantsRoute } from './live-grants.ts';
import { objectsAsOfRoutes } from './objects-as-of.ts';
import { receiptRoutes } from './receipt-routes.ts';
import { requestLineageRoute } from './request-lineage.ts';
import { tokenAsOfRoute } from './token-as-of.ts';
import { treeRoutes } from './tree-routes.ts';

/** The audit trail: everything for auditors and operators, their own for people and developers. */
export const auditApi =
  (deps: Deps & { readonly pool: Pool }) =>
  (app: FastifyInstance): Promise<void> => {
    const full: AuditDeps = { ...deps, gate: createOperatorGate(deps, 'audit') };
    return registerJsonApi(
      app,
      eventRoutes(full, auditorsDoor(full.gate)),
      eventRoutes(full, developersDoor(deps)),
      eventRoutes(full, peoplesDoor(deps)),
      receiptRoutes(full, developersDoor(deps)),
      receiptRoutes(full, peoplesDoor(deps)),
      objectsAsOfRoutes(full),
      lineageRoute(full),
      requestLineageRoute(full),
      liveGrantsRoute(full),
      tokenAsOfRoute(full),
      treeRoutes(full),
      archivesRoute(full),
    );
  };
