// Numbers as people read them.

/** Minutes and seconds left, rounded up so that it ends at 0:00. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

export function formatOrdinal(value: number): string {
  const tens = value % 100;
  const suffix = tens >= 11 && tens <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th');
  return `${value}${suffix}`;
}

export function formatPing(ms: number | null): string {
  return ms === null ? '– ms' : `${Math.round(ms)} ms`;
}

export function formatBytesPerSecond(bytes: number): string {
  if (bytes < 1_000) return `${Math.round(bytes)} B/s`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB/s`;
  return `${(bytes / 1_000_000).toFixed(1)} MB/s`;
}

export function formatMicroseconds(us: number): string {
  return us < 1_000 ? `${Math.round(us)} µs` : `${(us / 1_000).toFixed(us < 10_000 ? 2 : 1)} ms`;
}

/** The two largest units, as in "2 h 5 min". */
export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min ${s % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A span in words, in its largest unit: "5 minutes", "90 seconds". */
export function formatSpan(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole >= 120 || whole === 60) return formatCount(Math.round(whole / 60), 'minute');
  return formatCount(whole, 'second');
}

export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
