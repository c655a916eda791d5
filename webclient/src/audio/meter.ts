import { rms } from './level';

/** Measures how loud a stream is, without touching what is heard or sent. */
export class Meter {
  readonly #context: AudioContext;
  readonly #analyser: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;
  #source: MediaStreamAudioSourceNode | undefined;

  constructor(context: AudioContext) {
    this.#context = context;
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 512; // 11 ms at 48 kHz
    this.#samples = new Float32Array(this.#analyser.fftSize);
  }

  watch(stream: MediaStream | undefined): void {
    this.#source?.disconnect();
    this.#source = undefined;
    if (!stream || stream.getAudioTracks().length === 0) return;
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  /** RMS of the latest 11 ms, 0 to 1. */
  read(): number {
    if (!this.#source) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return rms(this.#samples);
  }
}
