import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection, type ConnectionState, type Via } from './connection';
import { FakePeerConnection, FakeSocket } from './fakes';

interface Setup {
  connection: Connection;
  sockets: FakeSocket[];
  peers: FakePeerConnection[];
  socket: () => FakeSocket;
  peer: () => FakePeerConnection;
  states: ConnectionState[];
  events: [string, Via][];
  refused: string[];
}

function setUp(canSend = true): Setup {
  const sockets: FakeSocket[] = [];
  const peers: FakePeerConnection[] = [];
  const states: ConnectionState[] = [];
  const events: [string, Via][] = [];
  const refused: string[] = [];
  const connection = new Connection({
    socket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    peer: (configuration) => {
      const peer = new FakePeerConnection(configuration);
      peers.push(peer);
      return peer.asPeerConnection();
    },
    join: () => ({ client: 'test' }),
    canSend,
    onState: (state) => states.push(state),
    onJoined: vi.fn(),
    onEvent: (event, via) => events.push([event.type, via]),
    onSent: vi.fn(),
    onRemote: vi.fn(),
    onRefused: (code) => refused.push(code),
    random: () => 0.5,
  });
  return { connection, sockets, peers, socket: () => sockets.at(-1)!, peer: () => peers.at(-1)!, states, events, refused };
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

/** A call that is up. */
async function live(): Promise<Setup> {
  const s = setUp();
  s.connection.start();
  s.socket().join();
  await settle();
  s.socket().receive({ type: 'answer', sdp: 'answer 1' });
  await settle();
  s.peer().become('connected');
  return s;
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

describe('setting up', () => {
  it('offers audio both ways and the events channel, then goes live', async () => {
    const s = await live();
    expect(s.peer().configuration.iceServers).toEqual([{ urls: 'stun:x' }]);
    expect(s.peer().direction).toBe('sendrecv');
    expect(s.peer().channel.label).toBe('oai-events');
    expect(s.socket().of('offer')).toEqual([{ v: 1, type: 'offer', sdp: 'offer 1' }]);
    expect(s.peer().answers).toEqual(['answer 1']);
    expect(s.states).toEqual([{ phase: 'connecting' }, { phase: 'live', audio: true }]);
  });

  it('only listens where there can be no microphone', async () => {
    const s = setUp(false);
    s.connection.start();
    s.socket().join();
    await settle();
    expect(s.peer().direction).toBe('recvonly');
  });

  it('takes a microphone before and after the peer exists', async () => {
    const s = setUp();
    const early = { id: 'early' } as MediaStreamTrack;
    await s.connection.setTrack(early);
    s.connection.start();
    s.socket().join();
    await settle();
    const late = { id: 'late' } as MediaStreamTrack;
    await s.connection.setTrack(late);
    expect(s.peer().tracks).toEqual([early, late]);
  });
});

describe('candidates', () => {
  it('holds its own back until the offer is out, and the other side’s until the answer is in', async () => {
    const s = setUp();
    s.connection.start();
    s.socket().join();
    s.peer().onicecandidate?.({ candidate: { candidate: 'a', sdpMid: '0', sdpMLineIndex: 0 } });
    expect(s.socket().of('candidate')).toEqual([]);
    await settle();
    s.peer().onicecandidate?.({ candidate: null });
    expect(s.socket().sent.map((m) => m.type)).toEqual(['join', 'offer', 'candidate', 'candidate']);
    expect(s.socket().of('candidate')).toMatchObject([{ candidate: { candidate: 'a' } }, { candidate: null }]);
    s.socket().receive({ type: 'candidate', candidate: { candidate: 'x', sdpMid: '0', sdpMLineIndex: 0 } });
    await settle();
    expect(s.peer().candidates).toEqual([]);
    s.socket().receive({ type: 'answer', sdp: 'answer' });
    s.socket().receive({ type: 'candidate', candidate: { candidate: 'broken', sdpMid: '0', sdpMLineIndex: 0 } });
    await settle();
    s.socket().receive({ type: 'candidate', candidate: null });
    await settle();
    expect(s.peer().candidates.map((c) => (c as { candidate?: string } | undefined)?.candidate)).toEqual(['x', 'broken', undefined]);
  });
});

describe('events', () => {
  it('go by the data channel when it is open, else by the socket', async () => {
    const s = await live();
    expect(s.connection.send({ type: 'a' })).toBe(true);
    s.peer().channel.readyState = 'closing';
    expect(s.connection.send({ type: 'b' })).toBe(true);
    expect(s.peer().channel.sent).toEqual([{ type: 'a' }]);
    expect(s.socket().of('event')).toMatchObject([{ event: { type: 'b' } }]);
    s.socket().drop();
    expect(s.connection.send({ type: 'c' })).toBe(false);
  });

  it('count once though they came twice', async () => {
    const s = await live();
    s.socket().receive({ type: 'event', event: { type: 'x', event_id: 'e1' } });
    s.peer().channel.onmessage?.({ data: '{"type":"x","event_id":"e1"}' });
    s.peer().channel.onmessage?.({ data: '{"type":"y","event_id":"e2"}' });
    s.peer().channel.onmessage?.({ data: 'nonsense' });
    s.peer().channel.onmessage?.({ data: new ArrayBuffer(2) });
    expect(s.events).toEqual([
      ['x', 'socket'],
      ['y', 'channel'],
    ]);
  });

  it('hands on a refusal that does not end the call', async () => {
    const s = await live();
    s.socket().receive({ type: 'error', code: 'bad_sdp', message: 'no', fatal: false });
    expect(s.refused).toEqual(['bad_sdp']);
  });
});

describe('mending', () => {
  it('resumes a lost socket with an ICE restart on the same peer', async () => {
    const s = await live();
    s.socket().drop();
    expect(s.states.at(-1)).toEqual({ phase: 'reconnecting', cause: 'socket', retryMs: 250 });
    await vi.advanceTimersByTimeAsync(250);
    s.socket().join('t2', true);
    await settle();
    expect(s.peers).toHaveLength(1);
    expect(s.peer().offers).toEqual([false, true]);
    s.socket().receive({ type: 'answer', sdp: 'answer 2' });
    await settle();
    expect(s.states.at(-1)).toEqual({ phase: 'live', audio: true });
  });

  it('makes a new peer when the old one is gone or the call is a new one', async () => {
    const s = await live();
    s.socket().drop();
    s.peer().connectionState = 'failed';
    await vi.advanceTimersByTimeAsync(250);
    s.socket().join('t2', true);
    await settle();
    expect(s.peers).toHaveLength(2);
    expect(s.peers[0]!.closed).toBe(true);
    s.peer().become('connected');
    s.socket().drop();
    await vi.advanceTimersByTimeAsync(250);
    s.socket().join('t3', false);
    await settle();
    expect(s.peers).toHaveLength(3);
    expect(s.peer().offers).toEqual([false]);
  });

  it('gives a disconnected path a moment, then restarts ICE', async () => {
    const s = await live();
    s.peer().become('disconnected');
    await vi.advanceTimersByTimeAsync(2000);
    s.peer().become('connected');
    await vi.advanceTimersByTimeAsync(2000);
    expect(s.peer().offers).toEqual([false]);
    s.peer().become('disconnected');
    await vi.advanceTimersByTimeAsync(2500);
    expect(s.states.at(-1)).toEqual({ phase: 'reconnecting', cause: 'media', retryMs: 0 });
    expect(s.peer().offers).toEqual([false, true]);
  });

  it('tries two restarts and a new peer, then goes on without audio', async () => {
    const s = await live();
    for (let i = 0; i < 3; i++) {
      s.peer().become('failed');
      await settle();
      s.socket().receive({ type: 'answer', sdp: 'again' });
      await settle();
    }
    expect(s.peers).toHaveLength(2);
    expect(s.peers[0]!.offers).toEqual([false, true, true]);
    s.peer().become('failed');
    expect(s.states.at(-1)).toEqual({ phase: 'live', audio: false });
  });

  it('never has two offers out, and renews the offer afterwards', async () => {
    const s = setUp();
    s.connection.start();
    s.socket().join();
    await settle();
    s.peer().become('failed');
    await settle();
    expect(s.socket().of('offer')).toHaveLength(1);
    s.socket().receive({ type: 'answer', sdp: 'answer' });
    await settle();
    expect(s.peer().offers).toEqual([false, true]);
  });

  it('takes a socket on which no answer comes for dead', async () => {
    const s = setUp();
    s.connection.start();
    s.socket().join();
    await settle();
    await vi.advanceTimersByTimeAsync(8000);
    expect(s.sockets[0]!.closed).toBe(true);
  });

  it('treats an answer that the browser refuses as a lost path', async () => {
    const s = setUp();
    s.connection.start();
    s.socket().join();
    await settle();
    s.peer().refuseAnswer = true;
    s.socket().receive({ type: 'answer', sdp: 'nonsense' });
    await settle();
    expect(s.peer().offers).toEqual([false, true]);
  });
});

describe('the end', () => {
  it('closes everything on goodbye', async () => {
    const s = await live();
    s.socket().receive({ type: 'bye', reason: 'shutdown' });
    expect(s.states.at(-1)).toEqual({ phase: 'over', end: { why: 'bye', reason: 'shutdown' } });
    expect(s.peer().closed).toBe(true);
    expect(s.connection.peer).toBeUndefined();
  });

  it('closes everything on hanging up, and leaves no timer behind', async () => {
    const s = await live();
    s.connection.close();
    expect(s.socket().of('bye')).toHaveLength(1);
    expect(s.peer().closed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    expect(s.states.at(-1)).toEqual({ phase: 'live', audio: true });
  });
});
