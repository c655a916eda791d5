/** Why there is no microphone, in the terms in which the page explains it. */
export type MicProblem = 'denied' | 'missing' | 'busy' | 'insecure';

export type MicState = 'off' | 'asking' | 'on' | MicProblem;

/** The microphone cannot be had; trying again may help. */
export function isProblem(state: MicState): state is MicProblem {
  return state === 'denied' || state === 'missing' || state === 'busy' || state === 'insecure';
}

/** What this module needs of navigator.mediaDevices. */
export interface MediaDevicesLike {
  getUserMedia(constraints: MediaStreamConstraints): Promise<MediaStream>;
}

/** Which problem a failed getUserMedia stands for. */
export function micProblem(error: unknown): MicProblem {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  return 'busy';
}

function constraints(deviceId: string): MediaStreamConstraints {
  const audio: MediaTrackConstraints = {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    channelCount: 1,
  };
  if (deviceId !== '') audio.deviceId = { exact: deviceId };
  return { audio };
}

/**
 * The caller's microphone: opened for a call, let go after it, exchanged when
 * the choice changes or the device is pulled out. Muting keeps the device and
 * sends silence.
 */
export class Microphone {
  readonly #devices: MediaDevicesLike | undefined;
  readonly #onState: (state: MicState) => void;
  readonly #onTrack: (track: MediaStreamTrack | null) => void;
  #stream: MediaStream | undefined;
  #muted = false;
  #request = 0;

  /** `devices` is undefined where the page was not served securely. */
  constructor(devices: MediaDevicesLike | undefined, on: { state: (state: MicState) => void; track: (track: MediaStreamTrack | null) => void }) {
    this.#devices = devices;
    this.#onState = on.state;
    this.#onTrack = on.track;
  }

  get available(): boolean {
    return this.#devices !== undefined;
  }

  get stream(): MediaStream | undefined {
    return this.#stream;
  }

  /** Opens the device, or the usual one where the chosen one is gone. Never throws: the state tells. */
  async open(deviceId: string): Promise<void> {
    if (!this.#devices) {
      this.#onState('insecure');
      return;
    }
    const request = ++this.#request;
    this.#onState('asking');
    try {
      const stream = await this.#ask(this.#devices, deviceId);
      if (request !== this.#request) stop(stream);
      else this.#use(stream);
    } catch (error) {
      if (request !== this.#request) return;
      this.#release();
      this.#onTrack(null);
      this.#onState(micProblem(error));
    }
  }

  mute(muted: boolean): void {
    this.#muted = muted;
    this.#stream?.getAudioTracks().forEach((track) => {
      track.enabled = !muted;
    });
  }

  /** Lets the device go, so that the browser's recording sign goes out. */
  close(): void {
    this.#request += 1;
    this.#release();
    this.#onTrack(null);
    this.#onState('off');
  }

  async #ask(devices: MediaDevicesLike, deviceId: string): Promise<MediaStream> {
    try {
      return await devices.getUserMedia(constraints(deviceId));
    } catch (error) {
      if (deviceId === '' || micProblem(error) !== 'missing') throw error;
      return devices.getUserMedia(constraints(''));
    }
  }

  #use(stream: MediaStream): void {
    this.#release();
    const track = stream.getAudioTracks()[0];
    if (!track) {
      this.#onState('missing');
      return;
    }
    this.#stream = stream;
    track.enabled = !this.#muted;
    track.onended = () => {
      if (this.#stream === stream) void this.open(''); // pulled out: take what is left
    };
    this.#onTrack(track);
    this.#onState('on');
  }

  #release(): void {
    if (this.#stream) stop(this.#stream);
    this.#stream = undefined;
  }
}

function stop(stream: MediaStream): void {
  stream.getTracks().forEach((track) => {
    track.onended = null;
    track.stop();
  });
}
