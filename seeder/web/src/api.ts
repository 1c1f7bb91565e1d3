// SPDX-License-Identifier: Apache-2.0
// Talking to the gateway. Every failure is an Error whose message can be shown.

export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function answer<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as T;
  let detail = `the gateway answered ${response.status}`;
  try {
    detail = (JSON.parse(text) as { detail?: string }).detail ?? detail;
  } catch {
    // not a problem document: the status is all there is
  }
  throw new Refused(response.status, detail);
}

async function call<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, credentials: 'same-origin', cache: 'no-store' });
  } catch {
    throw new Error('the gateway cannot be reached');
  }
  return answer<T>(response);
}

export function get<T>(path: string): Promise<T> {
  return call<T>(path, {});
}

export function post<T>(path: string, body: unknown = {}): Promise<T> {
  const headers = { 'content-type': 'application/json', 'x-lineside': 'page' };
  return call<T>(path, { method: 'POST', headers, body: JSON.stringify(body) });
}
