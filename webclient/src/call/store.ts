import { computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Devices } from '../audio/devices';
import type { MicState } from '../audio/microphone';
import { empty, voice, type Conversation } from '../state/conversation';
import type { Entry } from '../state/eventlog';
import { soundBlocked, type Problem } from '../state/problems';
import type { Settings } from '../state/settings';
import { status, type Phase, type Status } from '../state/status';
import type { ServerConfig } from '../wire/config';
import type { Quality } from './quality';

/** Everything the page shows. The controller writes it, the components read it. */
export interface Store {
  settings: Signal<Settings>;
  phase: Signal<Phase>;
  conversation: Signal<Conversation>;
  mic: Signal<MicState>;
  muted: Signal<boolean>;
  talking: Signal<boolean>;
  /** The talk button is held, and the microphone is still being opened. */
  opening: Signal<boolean>;
  blocked: Signal<boolean>;
  problem: Signal<Problem | undefined>;
  /** Why the call ended, when there is something to say. */
  ending: Signal<string>;
  /** When the next try to reconnect is due, ms as Date.now(). */
  retryAt: Signal<number>;
  config: Signal<ServerConfig | undefined>;
  devices: Signal<Devices>;
  log: Signal<readonly Entry[]>;
  quality: Signal<Quality | undefined>;
  status: ReadonlySignal<Status>;
  /** The card on show: a click that is wanted goes before an explanation. */
  card: ReadonlySignal<Problem | undefined>;
}

export function createStore(settings: Settings): Store {
  const phase = signal<Phase>('idle');
  const conversation = signal<Conversation>(empty);
  const blocked = signal(false);
  const problem = signal<Problem | undefined>(undefined);
  return {
    settings: signal(settings),
    phase,
    conversation,
    mic: signal<MicState>('off'),
    muted: signal(false),
    talking: signal(false),
    opening: signal(false),
    blocked,
    problem,
    ending: signal(''),
    retryAt: signal(0),
    config: signal<ServerConfig | undefined>(undefined),
    devices: signal<Devices>({ microphones: [], speakers: [] }),
    log: signal<readonly Entry[]>([]),
    quality: signal<Quality | undefined>(undefined),
    status: computed(() => status(phase.value, voice(conversation.value))),
    card: computed(() => (blocked.value ? soundBlocked : problem.value)),
  };
}
