/** An instant, in milliseconds since the epoch, as the database reads it: to the microsecond, which a number of seconds would lose. */
export const spellInstant = (ms: number): string => {
  const microseconds = Math.round(ms * 1000);
  const whole = Math.floor(microseconds / 1000);
  return new Date(whole).toISOString().replace('Z', `${String(microseconds - whole * 1000).padStart(3, '0')}Z`);
};
