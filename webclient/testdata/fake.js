// Runs in the page before its own script: takes the place of the network and of
// the microphone, and plays scenes, so that every state can be seen and checked
// without a server. Test use only.
(() => {
  const pause = (ms = 0) => new Promise((done) => setTimeout(done, ms));
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

  class FakeSocket {
    constructor() {
      fake.sockets.push(this);
      this.readyState = 0;
      this.sent = [];
      setTimeout(() => {
        if (fake.server === 'down') {
          this.readyState = 3;
          this.onclose?.({});
          return;
        }
        this.readyState = 1;
        this.onopen?.({});
      });
    }
    send(data) {
      const message = JSON.parse(data);
      this.sent.push(message);
      fake.answer?.(message, this);
    }
    close() {
      this.readyState = 3;
    }
    receive(message) {
      this.onmessage?.({ data: JSON.stringify({ v: 1, ...message }) });
    }
  }

  class FakePeer {
    constructor() {
      fake.peers.push(this);
      this.connectionState = 'new';
      this.localDescription = null;
    }
    addTransceiver() {
      return { sender: { replaceTrack: async () => {} }, direction: 'sendrecv' };
    }
    createDataChannel() {
      this.channel = { readyState: 'connecting', sent: [], send: (json) => this.channel.sent.push(JSON.parse(json)) };
      return this.channel;
    }
    async createOffer() {
      return { type: 'offer', sdp: 'v=0' };
    }
    async setLocalDescription(d) {
      this.localDescription = d;
    }
    async setRemoteDescription() {
      if (!fake.path) return;
      this.connectionState = 'connected';
      this.channel.readyState = 'open';
      this.onconnectionstatechange?.();
    }
    async addIceCandidate() {}
    async getStats() {
      return new Map([
        ['pair', { type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.0124 }],
        ['in', { type: 'inbound-rtp', kind: 'audio', packetsReceived: 500, packetsLost: 1, jitterBufferDelay: 21.5, jitterBufferEmittedCount: 500 }],
      ]);
    }
    close() {
      this.connectionState = 'closed';
    }
  }

  /** A stream that sounds like somebody talking, as loud as `volume` says. */
  function voice(volume) {
    const context = new AudioContext();
    const tone = new OscillatorNode(context, { frequency: 160, type: 'sawtooth' });
    const swell = new GainNode(context, { gain: 0.5 });
    const slow = new OscillatorNode(context, { frequency: 3.1 });
    const depth = new GainNode(context, { gain: 0.45 });
    const loud = new GainNode(context, { gain: volume });
    const out = new MediaStreamAudioDestinationNode(context);
    tone.connect(swell).connect(loud).connect(out);
    slow.connect(depth).connect(swell.gain);
    tone.start();
    slow.start();
    void context.resume();
    return { stream: out.stream, loud };
  }

  const refuse = (name) => Promise.reject(new DOMException(name, name));
  const media = {
    addEventListener() {},
    enumerateDevices: async () => [
      { kind: 'audioinput', deviceId: 'default', label: 'Default' },
      { kind: 'audioinput', deviceId: 'a', label: 'Built-in microphone' },
      { kind: 'audioinput', deviceId: 'b', label: 'USB headset' },
      { kind: 'audiooutput', deviceId: 'c', label: 'USB headset' },
    ],
    getUserMedia: () => {
      if (fake.mic === 'pending') return new Promise(() => {});
      if (fake.mic !== 'ok') return refuse(fake.mic);
      fake.own = voice(fake.loudness);
      return Promise.resolve(fake.own.stream);
    },
  };

  const turn = (n, user, heard, ms, status = 'completed') => {
    const names = ['endpointing', 'stt', 'llm_first_token', 'llm_first_clause', 'tts_first_audio', 'send', 'network'];
    const stages = names.map((name, i) => ({ name, ms: ms[i] }));
    return { type: 'parley.turn', turn: n, status, input: 'speech', user, heard, timeline: { stages, total_ms: ms.reduce((a, b) => a + b, 0), marks_ms: {} } };
  };

  const fake = {
    complaints: [],
    sockets: [],
    peers: [],
    server: 'up',
    mic: 'ok',
    path: true,
    loudness: 0.5,
    get socket() {
      return fake.sockets.at(-1);
    },
    get peer() {
      return fake.peers.at(-1);
    },
    answer(message, socket) {
      if (message.type === 'join') {
        if (fake.refusal) socket.receive({ type: 'error', fatal: true, ...fake.refusal });
        else if (fake.server === 'up') socket.receive({ type: 'joined', call: 'c1', resume: 't1', resumed: message.resume !== undefined, resume_window_ms: 30000, ice_servers: [] });
      }
      if (message.type === 'offer') socket.receive({ type: 'answer', sdp: 'v=0' });
    },
    /** A server event over the data channel. */
    event(event) {
      fake.peer.channel.onmessage({ data: JSON.stringify({ event_id: `ev_${(fake.count = (fake.count ?? 0) + 1)}`, ...event }) });
    },
    async until(check) {
      for (let i = 0; i < 300; i++) {
        if (check()) return;
        await pause(10);
      }
      throw new Error(`waited in vain for ${check}`);
    },
    /** The types of the events the page has sent, and forgets them. */
    sent() {
      const types = fake.peer.channel.sent.map((e) => e.type);
      fake.peer.channel.sent.length = 0;
      return types;
    },
    state: () => document.getElementById('status').dataset.state,
    async call(mode = 'hands-free') {
      document.getElementById(`mode-${mode}`).click();
      document.getElementById('call-button').click();
      await fake.until(() => ['listening', 'error'].includes(fake.state()));
    },
    asks(n, words, final = true) {
      const id = `item_c1_u${n}`;
      fake.event({ type: 'input_audio_buffer.speech_started', item_id: id, audio_start_ms: 0 });
      if (!final) {
        fake.event({ type: 'parley.transcript.partial', item_id: id, transcript: words });
        return;
      }
      fake.event({ type: 'input_audio_buffer.speech_stopped', item_id: id, audio_end_ms: 0 });
      fake.event({ type: 'input_audio_buffer.committed', item_id: id });
      fake.event({ type: 'conversation.item.added', item: { id, type: 'message', role: 'user', content: [{ type: 'input_audio', transcript: null }] } });
      fake.event({ type: 'conversation.item.input_audio_transcription.completed', item_id: id, transcript: words });
    },
    replies(n, words) {
      const reply = { response_id: `resp_c1_${n}`, item_id: `item_c1_a${n}` };
      fake.event({ type: 'response.created', response: { id: reply.response_id } });
      fake.event({ type: 'response.output_item.added', response_id: reply.response_id, item: { id: reply.item_id, type: 'message', role: 'assistant' } });
      fake.event({ type: 'response.output_audio_transcript.delta', ...reply, delta: words });
      fake.event({ type: 'output_audio_buffer.started', response_id: reply.response_id });
      return reply;
    },
    finishes(reply, words) {
      fake.event({ type: 'response.output_audio_transcript.done', ...reply, transcript: words });
      fake.event({ type: 'response.done', response: { id: reply.response_id, status: 'completed' } });
      fake.event({ type: 'output_audio_buffer.stopped', response_id: reply.response_id });
    },
    exchange(n, question, answer, ms) {
      fake.asks(n, question);
      fake.finishes(fake.replies(n, answer), answer);
      fake.event(turn(n, question, answer, ms));
    },
    conversation() {
      fake.exchange(1, 'what time is it', 'It is twenty to nine in the evening.', [200, 34, 1.2, 0.4, 18, 0.9, 41]);
      fake.exchange(2, 'what is seventeen percent of two hundred and forty', 'Seventeen percent of two hundred and forty is forty point eight.', [200, 52, 1.1, 0.3, 22, 0.8, 39]);
      fake.asks(3, 'tell me a long story about the sea');
      const words = 'Once there was a lighthouse keeper who counted every ship that went by, and gave each a name of its own.';
      const reply = fake.replies(3, words);
      fake.event({ type: 'parley.heard', ...reply, transcript: 'Once there was a lighthouse keeper who counted', position_ms: 2400 });
      fake.event({ type: 'response.done', response: { id: reply.response_id, status: 'cancelled' } });
      fake.event({ type: 'output_audio_buffer.cleared', response_id: reply.response_id });
      fake.event(turn(3, 'tell me a long story about the sea', 'Once there was a lighthouse keeper who counted', [200, 71, 148, 96, 24, 0.9, 40], 'cancelled'));
      fake.event({ type: 'parley.timer', state: 'set', label: 'Tea timer', due: '2026-01-02T20:43:00Z' });
      fake.exchange(4, 'set a timer for tea', 'Tea timer, three minutes. I will tell you.', [200, 41, 1.4, 0.5, 19, 1.1, 38]);
    },
  };

  fake.scenes = {
    idle: async () => {},
    asking: async () => {
      fake.mic = 'pending';
      fake.server = 'silent';
      document.getElementById('call-button').click();
      await fake.until(() => fake.state() === 'connecting');
    },
    listening: () => fake.call('hands-free'),
    ready: () => fake.call('push-to-talk'),
    talking: async () => {
      await fake.call('push-to-talk');
      document.getElementById('talk-button').click(); // as a screen reader does: it toggles
      fake.asks(1, 'what time', false);
      await pause(900);
    },
    hearing: async () => {
      await fake.call();
      fake.asks(1, 'what is seventeen percent of two', false);
      await pause(900);
    },
    thinking: async () => {
      await fake.call();
      fake.exchange(1, 'what time is it', 'It is twenty to nine in the evening.', [200, 34, 1.2, 0.4, 18, 0.9, 41]);
      fake.asks(2, 'why is the sky blue');
      fake.event({ type: 'response.created', response: { id: 'resp_c1_2' } });
    },
    speaking: async () => {
      fake.loudness = 0.004;
      await fake.call();
      fake.peer.ontrack({ streams: [voice(0.6).stream], receiver: {} });
      fake.conversation();
      fake.asks(5, 'how far is the moon');
      const words = 'The moon is about three hundred and eighty four thousand kilometres away. Light needs a little more than a second for that.';
      const reply = fake.replies(5, words);
      fake.event({ type: 'parley.heard', ...reply, transcript: 'The moon is about three hundred and eighty four', position_ms: 2300 });
      await pause(900);
    },
    answering: async () => {
      await fake.call('push-to-talk');
      fake.asks(1, 'how far is the moon');
      fake.replies(1, 'The moon is about three hundred and eighty four thousand kilometres away.');
    },
    finished: async () => {
      await fake.call('push-to-talk');
      fake.conversation();
      document.querySelector('[data-testid="events-panel"] summary').click();
      await pause(2300);
    },
    table: async () => {
      await fake.call();
      fake.conversation();
      const button = () => [...document.querySelectorAll('#waterfall button')].find((b) => b.textContent === 'Table');
      await fake.until(button);
      button().click();
    },
    muted: async () => {
      await fake.call('push-to-talk');
      document.getElementById('mute-button').click();
    },
    notice: async () => {
      await fake.call();
      fake.asks(1, 'why is the sky blue');
      fake.event({ type: 'parley.notice', stage: 'llm', kind: 'unreachable', message: 'The language model cannot be reached. Is the server at OPENAI_BASE_URL running?' });
      fake.event(turn(1, 'why is the sky blue', '', [200, 60, 0, 0, 0, 0, 0], 'failed'));
    },
    reconnecting: async () => {
      await fake.call();
      fake.conversation();
      fake.server = 'down';
      fake.socket.onclose({});
      await fake.until(() => fake.sockets.length > 2 && fake.state() === 'reconnecting');
    },
    ended: async () => {
      await fake.call();
      fake.conversation();
      fake.socket.receive({ type: 'bye', reason: 'shutdown' });
    },
    unreachable: async () => {
      fake.server = 'down';
      document.getElementById('call-button').click();
      await fake.until(() => fake.state() === 'error');
    },
    busy: async () => {
      fake.refusal = { code: 'busy', message: 'All 50 lines are in use. Try again in a minute.' };
      await fake.call();
    },
    key: async () => {
      fake.refusal = { code: 'unauthorized', message: 'A key is needed.' };
      await fake.call();
    },
    denied: async () => {
      fake.mic = 'NotAllowedError';
      await fake.call();
    },
    nomic: async () => {
      fake.mic = 'NotFoundError';
      await fake.call('push-to-talk');
    },
    micbusy: async () => {
      fake.mic = 'NotReadableError';
      await fake.call();
    },
    insecure: async () => {
      await fake.call();
    },
    blocked: async () => {
      HTMLMediaElement.prototype.play = () => refuse('NotAllowedError');
      await fake.call();
      fake.peer.ontrack({ streams: [voice(0.1).stream], receiver: {} });
    },
    noaudio: async () => {
      await fake.call();
      fake.path = false;
      for (let i = 0; i < 4; i++) {
        fake.peer.connectionState = 'failed';
        fake.peer.onconnectionstatechange();
        await pause(30);
      }
    },
  };
  fake.play = async (scene) => {
    await fake.until(() => document.getElementById('status'));
    await fake.scenes[scene]();
    await pause(60);
    await painted();
    return { State: fake.state(), Card: document.getElementById('error-card')?.dataset.code ?? '' };
  };

  addEventListener('error', (e) => fake.complaints.push(`error: ${e.message}`));
  addEventListener('unhandledrejection', (e) => fake.complaints.push(`rejection: ${e.reason}`));
  addEventListener('securitypolicyviolation', (e) => fake.complaints.push(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`));

  window.fake = fake;
  window.WebSocket = FakeSocket;
  window.RTCPeerConnection = FakePeer;
  const secure = !location.search.includes('insecure');
  Object.defineProperty(navigator, 'mediaDevices', { value: secure ? media : undefined, configurable: true });
})();
