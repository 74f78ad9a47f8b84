/** The path names a platform that is not there. */
export class UnknownPlatformRequested extends Error {
  override readonly name = 'UnknownPlatformRequested';
  readonly platform: string;
  constructor(platform: string) {
    super(`no platform is named "${platform.slice(0, 60)}"`);
    this.platform = platform;
  }
}
