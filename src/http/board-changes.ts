import type { FastifyRequest } from 'fastify';
import { isViewer } from './operator-guard.ts';
import { isFromOwnPage } from './request-origin.ts';

export interface ChangeRefusal {
  readonly code: string;
  readonly detail: string;
}

const LOOKING = new Set(['GET', 'HEAD']);

const REFUSALS = {
  viewer: {
    code: 'BOARD_READ_ONLY',
    detail: 'Your login is read-only. To make changes, sign in as the operator.',
  },
  foreign: {
    code: 'BOARD_FOREIGN_ORIGIN',
    detail: 'The request comes from a page outside the board. Make changes on the board itself.',
  },
  ledger: {
    code: 'BOARD_CHANGE_REFUSED',
    detail:
      'This would change a queue without the ledger, which could lose or repeat a post. On the board you can only retry failed jobs. For other changes, use `tiktok-publisher` or the API.',
  },
} as const satisfies Record<string, ChangeRefusal>;

/**
 * Why a request to the board may not change anything; undefined when it only looks, or is the one change that goes
 * through the ledger.
 * @param retryRoute pattern of the route by which one job is retried
 */
export function refuseChange(request: FastifyRequest, retryRoute: string): ChangeRefusal | undefined {
  if (LOOKING.has(request.method)) return undefined;
  if (isViewer(request)) return REFUSALS.viewer;
  if (!isFromOwnPage(request)) return REFUSALS.foreign;
  return request.method === 'PUT' && request.routeOptions.url === retryRoute ? undefined : REFUSALS.ledger;
}
