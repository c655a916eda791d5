import { describe, expect, it, vi } from 'vitest';
import { fetchConfig, readConfig } from './config';

const answer = (status: number, body: unknown): typeof fetch => vi.fn(async () => new Response(JSON.stringify(body), { status })) as unknown as typeof fetch;

describe('readConfig', () => {
  it('reads engines and the server’s voice detection', () => {
    const detection = { type: 'server_vad', silence_duration_ms: 200 };
    expect(readConfig({ version: '1', engines: { stt: 'a', llm: 'b', tts: 'c' }, session: { audio: { input: { turn_detection: detection } } } })).toEqual({
      version: '1',
      engines: { stt: 'a', llm: 'b', tts: 'c' },
      turnDetection: detection,
    });
  });

  it.each([[null], ['x'], [{}], [{ session: { audio: 3 } }], [{ session: { audio: { input: { turn_detection: null } } } }]])('fills in for %o', (body) => {
    expect(readConfig(body)).toEqual({ version: '', engines: { stt: '', llm: '', tts: '' }, turnDetection: { type: 'server_vad' } });
  });
});

describe('fetchConfig', () => {
  it('sends the key, if there is one', async () => {
    const fetcher = answer(200, { key_required: true });
    expect((await fetchConfig('k', fetcher)).kind).toBe('ok');
    expect(fetcher).toHaveBeenCalledWith('/api/config', expect.objectContaining({ headers: { Authorization: 'Bearer k' } }));
  });

  it('knows when a key is asked for', async () => {
    expect(await fetchConfig('', answer(401, {}))).toEqual({ kind: 'key' });
    expect(await fetchConfig('bad', answer(403, {}))).toEqual({ kind: 'key' });
    expect(await fetchConfig('', answer(200, { key_required: true }))).toEqual({ kind: 'key' });
  });

  it('never throws', async () => {
    expect(await fetchConfig('', answer(500, {}))).toEqual({ kind: 'unreachable' });
    const down = vi.fn(async () => Promise.reject(new TypeError('down'))) as unknown as typeof fetch;
    expect(await fetchConfig('', down)).toEqual({ kind: 'unreachable' });
    const nonsense = vi.fn(async () => new Response('<html>')) as unknown as typeof fetch;
    expect(await fetchConfig('', nonsense)).toEqual({ kind: 'unreachable' });
  });
});
