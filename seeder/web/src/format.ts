// SPDX-License-Identifier: Apache-2.0
// Numbers and times as people read them. Pure.

const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** "12.3 MB", powers of 1000, three digits. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    ++unit;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

export function rate(perSecond: number): string {
  return `${bytes(perSecond)}/s`;
}

export function count(value: number): string {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ' ');
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** "42 s", "5 min", "3 h 20 min", "4 d 2 h". */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) {
    const minutes = Math.floor((s % 3600) / 60);
    return minutes ? `${Math.floor(s / 3600)} h ${minutes} min` : `${s / 3600} h`;
  }
  const hours = Math.floor((s % 86400) / 3600);
  return hours ? `${Math.floor(s / 86400)} d ${hours} h` : `${s / 86400} d`;
}

/** "04:59", "1:04:59": a clock that runs down. */
export function countdown(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  const two = (n: number) => n.toString().padStart(2, '0');
  const hours = Math.floor(s / 3600);
  const rest = `${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** Seconds since 1970 of "2026-11-22T19:13:23Z". */
export function seconds(utc: string): number {
  return Date.parse(utc) / 1000;
}

export function ago(utc: string | undefined, now: string): string {
  if (!utc) return 'never';
  const span = seconds(now) - seconds(utc);
  return span < 2 ? 'now' : `${duration(span)} ago`;
}

/** Local time of day; with the date if that is another than `now`'s. */
export function clock(utc: string, now?: string): string {
  const time = new Date(utc);
  const two = (n: number) => n.toString().padStart(2, '0');
  const day = (d: Date) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  const hours = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return now && day(new Date(now)) === day(time) ? hours : `${day(time)} ${hours}`;
}

/** A sentence with its digests cut to the twelve digits by which they are shown everywhere. */
export function withShortDigests(text: string): string {
  return text.replace(/[0-9a-f]{64}/g, (digest) => digest.slice(0, 12));
}

/** "vision/2.0.0.json" is known to people as "vision 2.0.0". */
export function bundleName(target: string): string {
  return target.replace(/\.json$/, '').replace('/', ' ');
}
