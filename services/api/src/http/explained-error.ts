import { OAuthError, type OAuthErrorCode } from '@grantlog/protocol';

/** A refusal that a person can do something about: a page says what under a heading, each way out for itself. */
export class ExplainedError extends OAuthError {
  readonly title: string;
  readonly waysOut: readonly string[];

  constructor(
    code: OAuthErrorCode,
    explanation: { readonly title: string; readonly description: string; readonly waysOut: readonly string[]; readonly reason: string },
  ) {
    super(code, explanation);
    this.title = explanation.title;
    this.waysOut = explanation.waysOut;
  }
}
