interface WakeLockLike {
  request(type: 'screen'): Promise<{ release(): Promise<void> }>;
}

/** Keeps the screen on during a call where the browser can; a refusal costs nothing. */
export class WakeLock {
  readonly #api: WakeLockLike | undefined;
  #lock: { release(): Promise<void> } | undefined;
  #wanted = false;

  constructor(api: WakeLockLike | undefined) {
    this.#api = api;
  }

  /** To be called again when the page becomes visible: browsers drop the lock of a hidden page. */
  async hold(): Promise<void> {
    this.#wanted = true;
    try {
      const lock = await this.#api?.request('screen');
      if (this.#wanted) this.#lock = lock;
      else await lock?.release();
    } catch {
      this.#lock = undefined;
    }
  }

  async visible(): Promise<void> {
    if (this.#wanted) await this.hold();
  }

  async release(): Promise<void> {
    this.#wanted = false;
    const lock = this.#lock;
    this.#lock = undefined;
    await lock?.release().catch(() => undefined);
  }
}
