import {
  type Lane,
  type LogoutOutcome,
  lanes,
  type SubscriptionLag,
  type Waiting,
  type WitnessState,
  witnessStates,
} from '@grantlog/postgres';
import { createMetrics, type Metrics } from '@grantlog/runtime';
import type { Recovered } from './webhooks/recovery.ts';
import type { Ended } from './webhooks/turn-context.ts';

/** What the worker counts. No label names a tenant. */
export type WorkerMetrics = {
  readonly metrics: Metrics;
  readonly attempt: (ended: Ended) => void;
  readonly crowded: () => void;
  readonly lost: (attempts: number) => void;
  readonly recovering: (recovered: Recovered) => void;
  readonly waiting: (waiting: readonly Waiting[]) => void;
  readonly queued: (depths: readonly { readonly lane: Lane; readonly wakes: number }[]) => void;
  readonly consumed: (subscription: string, events: number) => void;
  readonly failed: (operation: string) => void;
  readonly endpoint: (fate: 'warned' | 'disabled') => void;
  readonly expired: (grants: number) => void;
  readonly unanswered: (sessions: number) => void;
  readonly reaped: (clients: number) => void;
  readonly mail: (outcome: 'sent' | 'kept' | 'retried' | 'failed' | 'expired', mails: number) => void;
  readonly logout: (outcome: LogoutOutcome['kind']) => void;
  readonly witness: (outcome: 'cosigned' | 'kept' | 'conflict' | 'failed') => void;
  readonly witnesses: (found: Readonly<Record<WitnessState, number>>) => void;
  readonly lag: (lags: readonly SubscriptionLag[]) => void;
};

export const createWorkerMetrics = (): WorkerMetrics => {
  const metrics = createMetrics({ service: 'worker' });
  const attempts = metrics.counter({
    name: 'delivery_attempts_total',
    help: 'Webhook attempts by how they ended',
    labels: ['lane', 'outcome'],
  });
  const crowded = metrics.counter({
    name: 'deliveries_crowded_total',
    help: 'Webhooks that waited for a connection in vain and are tried again; no attempt is counted',
    labels: [],
  });
  const lost = metrics.counter({
    name: 'delivery_attempts_lost_total',
    help: 'Attempts that were in hand when their worker stopped: nobody knows whether they were begun or arrived',
    labels: [],
  });
  const recoveries = metrics.gauge({ name: 'recoveries_running', help: 'Recoveries of endpoints that are not over yet', labels: [] });
  const recovered = metrics.counter({
    name: 'recovered_deliveries_total',
    help: 'Deliveries that recoveries of endpoints made due',
    labels: [],
  });
  const durations = metrics.timer({ name: 'delivery_attempt_seconds', help: 'Time of a webhook attempt', labels: ['outcome'] });
  const firsts = metrics.timer({
    name: 'delivery_first_attempt_seconds',
    help: 'From the record of an event to the first attempt at telling an endpoint of it',
    labels: ['lane'],
    upTo: 1_000,
  });
  const successes = metrics.timer({
    name: 'delivery_success_seconds',
    help: 'From the record of an event to its arrival',
    labels: ['lane'],
    upTo: 100_000,
  });
  const waiting = metrics.gauge({
    name: 'deliveries_waiting',
    help: 'Deliveries that are due, overdue by five seconds, due later, or held until their endpoint has proved its URL',
    labels: ['lane', 'state'],
  });
  const depth = metrics.gauge({ name: 'delivery_queue_depth', help: 'Wake-ups of endpoints in the queue', labels: ['lane'] });
  const consumed = metrics.counter({ name: 'subscription_events_total', help: 'Events consumed', labels: ['subscription'] });
  const behind = metrics.gauge({
    name: 'subscription_lag_events',
    help: 'Events between checkpoint and head of the log',
    labels: ['subscription'],
  });
  const failing = metrics.gauge({ name: 'subscription_failing', help: 'Checkpoints stopped by a failing event', labels: ['subscription'] });
  const failures = metrics.counter({
    name: 'worker_failures_total',
    help: 'Failures of the worker by what it was doing',
    labels: ['operation'],
  });
  const endpoints = metrics.counter({ name: 'endpoints_total', help: 'Endpoints warned of or disabled for failing', labels: ['outcome'] });
  const grants = metrics.counter({ name: 'grants_expired_total', help: 'Expired grants recorded', labels: [] });
  const sessions = metrics.counter({ name: 'sessions_expired_total', help: 'Expired sign-up sessions recorded', labels: [] });
  const clients = metrics.counter({ name: 'clients_reaped_total', help: 'Clients ended because nobody ever used them', labels: [] });
  const mails = metrics.counter({
    name: 'mails_total',
    help: 'Mails by how an attempt at them ended, or expired after waiting too long',
    labels: ['outcome'],
  });
  const logouts = metrics.counter({
    name: 'logouts_total',
    help: 'Attempts to tell an app of a logout by how they ended; due again after a failure',
    labels: ['outcome'],
  });
  const submissions = metrics.counter({
    name: 'witness_submissions_total',
    help: 'Checkpoints shown to witnesses by how it ended; conflict: the witness has another history of the log',
    labels: ['outcome'],
  });
  const witnesses = metrics.gauge({ name: 'witnesses', help: 'Pairs of a witness and a tree by how it is with them', labels: ['state'] });
  return {
    metrics,
    attempt: ({ delivery, attempt: { record, recordedAt } }) => {
      const { outcome, durationMs, beganAt } = record;
      attempts.add({ lane: delivery.lane, outcome });
      if (durationMs !== null) durations.observe({ outcome }, durationMs / 1000);
      // Clocks differ; a time before the event is none.
      if (delivery.attempt === 0) firsts.observe({ lane: delivery.lane }, Math.max(0, beganAt - recordedAt) / 1000);
      if (outcome === 'delivered') successes.observe({ lane: delivery.lane }, Math.max(0, beganAt + (durationMs ?? 0) - recordedAt) / 1000);
    },
    crowded: () => crowded.add({}),
    lost: (count) => lost.add({}, count),
    recovering: ({ running, again }) => {
      recoveries.set({}, running);
      recovered.add({}, again);
    },
    waiting: (found) => {
      for (const lane of lanes) {
        const { due = 0, overdue = 0, later = 0, held = 0 } = found.find((each) => each.lane === lane) ?? {};
        for (const [state, count] of Object.entries({ due, overdue, later, held })) waiting.set({ lane, state }, count);
      }
    },
    queued: (depths) => {
      for (const { lane, wakes } of depths) depth.set({ lane }, wakes);
    },
    consumed: (subscription, events) => consumed.add({ subscription }, events),
    failed: (operation) => failures.add({ operation }),
    endpoint: (fate) => endpoints.add({ outcome: fate }),
    expired: (count) => grants.add({}, count),
    unanswered: (count) => sessions.add({}, count),
    reaped: (count) => clients.add({}, count),
    mail: (outcome, count) => mails.add({ outcome }, count),
    logout: (outcome) => logouts.add({ outcome }),
    witness: (outcome) => submissions.add({ outcome }),
    witnesses: (found) => {
      for (const state of witnessStates) witnesses.set({ state }, found[state]);
    },
    lag: (lags) => {
      for (const { name, events, failing: stopped } of lags) {
        behind.set({ subscription: name }, events);
        failing.set({ subscription: name }, stopped);
      }
    },
  };
};
