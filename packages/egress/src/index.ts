export type { AddressClass } from './address.ts';
export { classifyAddress } from './address.ts';
export { type CheckedDestination, checkDestination } from './check-destination.ts';
export type { CheckedUrl } from './check-url.ts';
export type { Egress, EgressOptions, EgressRequest } from './egress.ts';
export { createEgress } from './egress.ts';
export type { EgressFailure, EgressOutcome, EgressRefusal } from './outcome.ts';
export { tellTenant } from './outcome.ts';
export type { ResolvedAddress, Resolver } from './resolver.ts';
