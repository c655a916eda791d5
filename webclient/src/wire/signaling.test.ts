import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSocket } from './fakes';
import { Signaling, type End } from './signaling';

function setUp(): { signaling: Signaling; sockets: FakeSocket[]; last: () => FakeSocket; lost: number[]; ends: End[]; joined: string[]; other: string[] } {
  const sockets: FakeSocket[] = [];
  const lost: number[] = [];
  const ends: End[] = [];
  const joined: string[] = [];
  const other: string[] = [];
  const signaling = new Signaling({
    socket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    join: () => ({ client: 'test', key: 'k' }),
    onJoined: (j) => joined.push(j.resume),
    onMessage: (m) => other.push(m.type),
    onLost: (ms) => lost.push(ms),
    onEnd: (end) => ends.push(end),
    random: () => 0.5,
  });
  return { signaling, sockets, last: () => sockets.at(-1)!, lost, ends, joined, other };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

describe('Signaling', () => {
  it('joins first and sends nothing before it has', () => {
    const s = setUp();
    s.signaling.start();
    s.last().open();
    expect(s.last().sent).toEqual([{ v: 1, type: 'join', client: 'test', key: 'k' }]);
    expect(s.signaling.send({ type: 'offer', sdp: 'x' })).toBe(false);
    s.last().receive({ type: 'joined', call: 'c', resume: 't1' });
    expect(s.joined).toEqual(['t1']);
    expect(s.signaling.send({ type: 'offer', sdp: 'x' })).toBe(true);
    expect(s.last().of('offer')).toHaveLength(1);
  });

  it('resumes with the newest token after a loss', () => {
    const s = setUp();
    s.signaling.start();
    s.last().join('t1');
    s.last().drop();
    expect(s.lost).toEqual([250]);
    vi.advanceTimersByTime(250);
    expect(s.sockets).toHaveLength(2);
    s.last().join('t2', true);
    expect(s.last().sent[0]).toMatchObject({ type: 'join', resume: 't1' });
    s.last().drop();
    vi.advanceTimersByTime(250);
    s.last().open();
    expect(s.last().sent[0]).toMatchObject({ resume: 't2' });
  });

  it('waits longer each time and gives up after two minutes', () => {
    const s = setUp();
    s.signaling.start();
    s.last().join();
    s.last().drop();
    for (let i = 0; i < 60 && s.ends.length === 0; i++) {
      vi.advanceTimersByTime(s.lost.at(-1)!);
      s.last().drop();
    }
    expect(s.lost.slice(0, 6)).toEqual([250, 500, 1000, 2000, 4000, 5000]);
    expect(s.ends).toEqual([{ why: 'unreachable' }]);
    vi.advanceTimersByTime(60_000);
    expect(s.ends).toHaveLength(1);
  });

  it('gives up soon when the server was never there', () => {
    const s = setUp();
    s.signaling.start();
    for (let i = 0; i < 4; i++) {
      s.last().drop();
      vi.advanceTimersByTime(5000);
    }
    expect(s.sockets).toHaveLength(4);
    expect(s.ends).toEqual([{ why: 'unreachable' }]);
  });

  it('takes a socket that does not join, or cannot be made, for lost', () => {
    const s = setUp();
    s.signaling.start();
    s.last().open();
    vi.advanceTimersByTime(8000);
    expect(s.lost).toHaveLength(1);
    expect(s.sockets[0]!.closed).toBe(true);
    const broken = new Signaling({ socket: () => { throw new Error('no'); }, join: () => ({ client: '' }), onJoined: vi.fn(), onMessage: vi.fn(), onLost: (ms) => s.lost.push(ms), onEnd: vi.fn() });
    broken.start();
    expect(s.lost).toHaveLength(2);
    broken.stop();
  });

  it('pings, and notices silence', () => {
    const s = setUp();
    s.signaling.start();
    s.last().join();
    vi.advanceTimersByTime(5000);
    expect(s.last().of('ping')).toHaveLength(1);
    s.last().receive({ type: 'pong', t: 1 });
    vi.advanceTimersByTime(10_000);
    expect(s.lost).toEqual([]);
    vi.advanceTimersByTime(5000);
    expect(s.lost).toEqual([250]);
  });

  it('forgets a token that has expired', () => {
    const s = setUp();
    s.signaling.start();
    s.last().join('t1');
    s.last().drop();
    vi.advanceTimersByTime(250);
    s.last().open();
    s.last().receive({ type: 'error', code: 'resume_expired', message: 'too late', fatal: false });
    s.last().receive({ type: 'joined', call: 'c2', resume: 't9', resumed: false });
    expect(s.other).toEqual(['error']);
    expect(s.joined).toEqual(['t1', 't9']);
  });

  it.each([
    [{ type: 'bye', reason: 'shutdown' }, { why: 'bye', reason: 'shutdown' }],
    [{ type: 'error', code: 'busy', message: 'full', fatal: true }, { why: 'refused', code: 'busy', message: 'full' }],
  ])('ends on %o', (message, end) => {
    const s = setUp();
    s.signaling.start();
    s.last().join();
    s.last().receive(message);
    expect(s.ends).toEqual([end]);
    expect(s.last().closed).toBe(true);
    vi.advanceTimersByTime(60_000);
    expect(s.sockets).toHaveLength(1);
  });

  it('says goodbye when stopped, and is then quiet', () => {
    const s = setUp();
    s.signaling.start();
    const socket = s.last();
    socket.join();
    s.signaling.stop();
    expect(socket.of('bye')).toHaveLength(1);
    socket.drop();
    s.signaling.retryNow();
    s.signaling.reconnect();
    expect(s.sockets).toHaveLength(1);
    expect([s.lost, s.ends]).toEqual([[], []]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('retries at once when the network is back, but not while a socket is open', () => {
    const s = setUp();
    s.signaling.start();
    s.last().join();
    s.signaling.retryNow();
    expect(s.sockets).toHaveLength(1);
    s.last().drop();
    s.signaling.retryNow();
    expect(s.sockets).toHaveLength(2);
  });

  it('ignores what comes late from a socket it has left', () => {
    const s = setUp();
    s.signaling.start();
    const old = s.last();
    old.join();
    const { onmessage } = old;
    s.signaling.reconnect();
    onmessage?.({ data: JSON.stringify({ v: 1, type: 'bye', reason: 'late' }) } as MessageEvent);
    expect(s.ends).toEqual([]);
  });
});
