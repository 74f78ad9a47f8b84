import type { LogoutOutcome, SubscriptionLag } from '@grantlog/postgres';
import { createMetrics, type Metrics } from '@grantlog/runtime';

/** What the worker counts. No label names a tenant. */
export type WorkerMetrics = {
  readonly metrics: Metrics;
  readonly attempt: (attempt: { readonly lane: number; readonly outcome: string; readonly durationMs: number | null }) => void;
  readonly consumed: (subscription: string, events: number) => void;
  readonly failed: (operation: string) => void;
  readonly endpoint: (fate: 'warned' | 'disabled') => void;
  readonly expired: (grants: number) => void;
  readonly unanswered: (sessions: number) => void;
  readonly reaped: (clients: number) => void;
  readonly mail: (outcome: 'sent' | 'kept' | 'retried' | 'failed' | 'expired', mails: number) => void;
  readonly logout: (outcome: LogoutOutcome['kind']) => void;
  readonly lag: (lags: readonly SubscriptionLag[]) => void;
};

export const createWorkerMetrics = (): WorkerMetrics => {
  const metrics = createMetrics({ service: 'worker' });
  const attempts = metrics.counter({
    name: 'delivery_attempts_total',
    help: 'Webhook attempts by how they ended',
    labels: ['lane', 'outcome'],
  });
  const durations = metrics.timer({ name: 'delivery_attempt_seconds', help: 'Time of a webhook attempt', labels: ['outcome'] });
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
  return {
    metrics,
    attempt: ({ lane, outcome, durationMs }) => {
      attempts.add({ lane, outcome });
      if (durationMs !== null) durations.observe({ outcome }, durationMs / 1000);
    },
    consumed: (subscription, events) => consumed.add({ subscription }, events),
    failed: (operation) => failures.add({ operation }),
    endpoint: (fate) => endpoints.add({ outcome: fate }),
    expired: (count) => grants.add({}, count),
    unanswered: (count) => sessions.add({}, count),
    reaped: (count) => clients.add({}, count),
    mail: (outcome, count) => mails.add({ outcome }, count),
    logout: (outcome) => logouts.add({ outcome }),
    lag: (lags) => {
      for (const { name, events, failing: stopped } of lags) {
        behind.set({ subscription: name }, events);
        failing.set({ subscription: name }, stopped);
      }
    },
  };
};
