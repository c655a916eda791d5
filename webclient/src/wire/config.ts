import { record, text } from './protocol';

/** What the server says of itself before a call. */
export interface ServerConfig {
  version: string;
  engines: { stt: string; llm: string; tts: string };
  /** The server's own voice detection, sent back when the page turns hands-free on. */
  turnDetection: object;
}

export type ConfigAnswer = { kind: 'ok'; config: ServerConfig } | { kind: 'key' } | { kind: 'unreachable' };

const fallbackDetection = { type: 'server_vad' };

/** Reads the answer of GET /api/config, filling in what is missing. */
export function readConfig(body: unknown): ServerConfig {
  const fields = record(body) ?? {};
  const engines = record(fields.engines) ?? {};
  const input = record(record(record(fields.session)?.audio)?.input);
  return {
    version: text(fields.version),
    engines: { stt: text(engines.stt), llm: text(engines.llm), tts: text(engines.tts) },
    turnDetection: record(input?.turn_detection) ?? fallbackDetection,
  };
}

/** Asks the server; never throws. */
export async function fetchConfig(key: string, fetcher: typeof fetch = fetch): Promise<ConfigAnswer> {
  try {
    const response = await fetcher('/api/config', {
      headers: key === '' ? {} : { Authorization: `Bearer ${key}` },
      cache: 'no-store',
    });
    if (response.status === 401 || response.status === 403) return { kind: 'key' };
    if (!response.ok) return { kind: 'unreachable' };
    const body: unknown = await response.json();
    if (key === '' && record(body)?.key_required === true) return { kind: 'key' };
    return { kind: 'ok', config: readConfig(body) };
  } catch {
    return { kind: 'unreachable' };
  }
}
