export type { SignInStanding } from './access/sign-in-standing.ts';
export { signInStanding } from './access/sign-in-standing.ts';
export type { Standing } from './access/standing.ts';
export { standing } from './access/standing.ts';
export { contextIdPattern, isContextId } from './account/context-id.ts';
export type { AccountCommand, AccountRefusal } from './account/decide.ts';
export { accountDecider, accountListLimit } from './account/decide.ts';
export type { AccountEvent, AccountKind, MfaFactor } from './account/events.ts';
export type { AccountRecord, AccountState, EnrolledFactor, RecoveryCodes } from './account/state.ts';
export type { AggregateFold, GrantlogEvent } from './aggregates.ts';
export { aggregateOf, foldVersion } from './aggregates.ts';
export { auditDecider } from './audit/decide.ts';
export type { ArchiveFile, AuditEvent, AuditQuestion } from './audit/events.ts';
export type { SettingsProblem } from './client/check-settings.ts';
export type { ClientCommand, ClientRefusal } from './client/decide.ts';
export { clientDecider } from './client/decide.ts';
export type {
  ApplicationType,
  BackchannelLogout,
  ClientAuthMethod,
  ClientDeletion,
  ClientEvent,
  ClientExtras,
  ClientKind,
  ClientOrigin,
  ClientRegistration,
  ClientSelfDescription,
  ClientSettings,
  DeveloperSettings,
} from './client/events.ts';
export { extraDefaults } from './client/events.ts';
export type { ClientRecord, ClientState, ProposedChange } from './client/state.ts';
export type { GrantCommand, GrantRefusal, IssueRules, Narrowing, PresentedToken, RetryRules } from './grant/commands.ts';
export { endOfUse, grantDecider, isAccessLive } from './grant/decider.ts';
export type { Delegated, DelegationRefusal, DelegationRequest } from './grant/delegate.ts';
export { delegate, delegationLimit, sourcesOf } from './grant/delegate.ts';
export type {
  ClaimsRequest,
  CodeTerms,
  Delegation,
  DelegationSource,
  GrantEvent,
  GrantFlow,
  GrantTerms,
  Issue,
  RevocationReason,
  TokenMaker,
} from './grant/events.ts';
export type { GrantState } from './grant/state.ts';
export type {
  AccountId,
  ArchiveId,
  AuditReadId,
  ClientId,
  ClientStreamId,
  EndpointId,
  GrantId,
  Instant,
  NameId,
  SessionId,
  SignInId,
} from './ids.ts';
export { keyRingStream, parsePlatformId, parseStreamId, platformStream, standingKinds, systemPlatform } from './ids.ts';
export type { KeyRingCommand, KeyRingRefusal } from './key-ring/decide.ts';
export { highestTokenKeyId, keyRingDecider, keyRingLimit, nextTokenKeyId } from './key-ring/decide.ts';
export type { KeyAlgorithm, KeyDescription, KeyId, KeyRingEvent, KeyUse, RetirementReason } from './key-ring/events.ts';
export type { KeyRingState, KeyStage, RingKey } from './key-ring/state.ts';
export { activeKey, findKey } from './key-ring/state.ts';
export type { NameCommand, NameRefusal } from './name/decide.ts';
export { nameDecider } from './name/decide.ts';
export type { NameEvent, NameKind } from './name/events.ts';
export type { NameState } from './name/state.ts';
export type { PlatformCommand, PlatformRefusal } from './platform/decide.ts';
export { platformDecider } from './platform/decide.ts';
export type {
  AgentSignUp,
  AssertionAlgorithm,
  Branding,
  CompatibilitySwitches,
  ContextChoice,
  ExplorationLimits,
  Lifetimes,
  McpServerCard,
  MetadataDocumentRules,
  PlatformDocument,
  PlatformGrantType,
  PresetClient,
  RegistrationPolicy,
  ResourceDefinition,
  ScopeDefinition,
  SigningAlgorithm,
  TrustedIssuer,
} from './platform/document.ts';
export { deviceCodeGrant, jwtBearerGrant, tokenExchangeGrant } from './platform/document.ts';
export type { PlatformEvent } from './platform/events.ts';
export type { ParsedPlatformDocument } from './platform/parse-document.ts';
export { parsePlatformDocument } from './platform/parse-document.ts';
export type { DocumentProblem } from './platform/readers.ts';
export { reservedPlatformNames } from './platform/reserved-names.ts';
export type { PlatformState } from './platform/state.ts';
export { isLoopbackHost, isRedirectUri, parseWebUrl } from './platform/urls.ts';
export { type StreamLife, streamLife } from './retention/stream-life.ts';
export type { RotatingSecret } from './rotating-secrets.ts';
export { validSecrets } from './rotating-secrets.ts';
export { sameAnswer } from './same-answer.ts';
export { sameJson } from './same-json.ts';
export type { ScopeDecision } from './scopes.ts';
export { grantableScopes, impliedScopes, satisfies, stillGrantable } from './scopes.ts';
export type { SealedFact } from './sealed-fact.ts';
export type { SessionCommand, SessionRefusal } from './session/decide.ts';
export { sessionDecider, sessionWebhookLimit } from './session/decide.ts';
export type { SessionDenial, SessionEvent, SessionRevocation, SessionTerms, SessionVia } from './session/events.ts';
export type { SessionState } from './session/state.ts';
export type { SessionStatus } from './session/status.ts';
export { sessionStatus } from './session/status.ts';
export type { SignInCommand, SignInRefusal } from './sign-in/decide.ts';
export { signInDecider } from './sign-in/decide.ts';
export type { SignInEnd, SignInEvent, SignInFailure, SignInMethod, SignInVia } from './sign-in/events.ts';
export type { SignInState } from './sign-in/state.ts';
export type { EventType } from './told-events/catalogue.ts';
export { eventTypes } from './told-events/catalogue.ts';
export {
  deliveredSignals,
  type SignalClaims,
  signalClaims,
  signalUris,
  typesOfSignals,
  verificationSignal,
} from './told-events/signals.ts';
export { staleAfter } from './told-events/stale.ts';
export type { Telling } from './told-events/tellings.ts';
export { enabledType, tellingOf, testType, verificationType } from './told-events/tellings.ts';
export type { EndpointProblem } from './webhook-endpoint/check-settings.ts';
export type { WebhookEndpointCommand, WebhookEndpointRefusal } from './webhook-endpoint/decide.ts';
export { webhookEndpointDecider } from './webhook-endpoint/decide.ts';
export type {
  EndpointDisabledReason,
  EndpointHeaders,
  EndpointRecovery,
  EndpointRegistrar,
  EndpointRegistration,
  EndpointSettings,
  SignalTerms,
  WebhookEndpointEvent,
  WebhookSignature,
} from './webhook-endpoint/events.ts';
export type { EndpointRecord, WebhookEndpointState } from './webhook-endpoint/state.ts';
export { unknownTypes, wants } from './webhook-endpoint/wants.ts';
