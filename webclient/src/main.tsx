import { effect } from '@preact/signals';
import { render } from 'preact';
import { sortDevices } from './audio/devices';
import { Microphone } from './audio/microphone';
import { Sound } from './audio/sound';
import { Speaker } from './audio/speaker';
import { Controller } from './call/controller';
import { watchQuality } from './call/quality';
import { createStore } from './call/store';
import { WakeLock } from './call/wakelock';
import { bindPage } from './page';
import { keyFromHash, loadKey, saveKey } from './state/key';
import { loadSettings, saveSettings } from './state/settings';
import { App } from './ui/App';
import { fetchConfig } from './wire/config';
import { Connection } from './wire/connection';
import './style/tokens.css';
import './style/layout.css';
import './style/talk.css';
import './style/side.css';

/** A browser may forbid storage, and then even asking throws. */
function storage(pick: () => Storage): Storage | undefined {
  try {
    return pick();
  } catch {
    return undefined;
  }
}

function socketUrl(): string {
  const url = new URL('/ws', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return url.href;
}

/** The key comes once in the address, where it must not stay to be copied or shown. */
function takeKey(session: Storage | undefined): void {
  const key = keyFromHash(location.hash);
  if (key === '') return;
  saveKey(session, key);
  history.replaceState(null, '', location.pathname + location.search);
}

function start(): void {
  const local = storage(() => localStorage);
  const session = storage(() => sessionStorage);
  takeKey(session);
  const store = createStore(loadSettings(local));
  effect(() => {
    document.documentElement.dataset.theme = store.settings.value.theme;
  });

  const element = new Audio();
  element.autoplay = true;
  element.setAttribute('playsinline', '');
  const speaker = new Speaker(element, (blocked) => {
    store.blocked.value = blocked;
  });
  speaker.setVolume(store.settings.value.volume);
  if (store.settings.value.speaker !== '') void speaker.choose(store.settings.value.speaker);
  const sound = new Sound(speaker, () => ('AudioContext' in window ? new AudioContext({ latencyHint: 'interactive' }) : undefined));
  // Absent at run time on pages that were not served securely.
  const devices = navigator.mediaDevices as MediaDevices | undefined;

  const controller = new Controller({
    store,
    sound,
    microphone: (on) => new Microphone(devices, on),
    wakeLock: new WakeLock('wakeLock' in navigator ? navigator.wakeLock : undefined),
    connect:
      'RTCPeerConnection' in window
        ? (hooks) => new Connection({ ...hooks, socket: () => new WebSocket(socketUrl()), peer: (configuration) => new RTCPeerConnection(configuration) })
        : undefined,
    fetchConfig,
    key: { load: () => loadKey(session), save: (key) => saveKey(session, key) },
    saveSettings: (settings) => saveSettings(local, settings),
  });

  bindPage(store, controller);
  watchQuality(store, controller);
  const list = async (): Promise<void> => {
    if (devices) store.devices.value = sortDevices(await devices.enumerateDevices().catch(() => []));
  };
  devices?.addEventListener('devicechange', () => void list());
  effect(() => {
    if (store.mic.value === 'on' || store.mic.value === 'off') void list(); // names are known once a microphone is granted
  });
  void controller.loadConfig();

  const root = document.getElementById('app');
  if (root) render(<App kit={{ store, controller, levels: () => sound.levels(), canChooseSpeaker: speaker.canChoose }} />, root);
  Object.defineProperty(window, '__parley', {
    value: Object.freeze({ state: () => store.status.peek(), peer: () => controller.peer }),
  });
}

start();
