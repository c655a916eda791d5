import type { JSX } from 'preact';
import type { Device } from '../audio/devices';
import { useKit } from './context';

const none = 'none';

function Options({ devices, chosen }: { devices: readonly Device[]; chosen: string }): JSX.Element {
  const missing = chosen !== '' && chosen !== none && !devices.some((d) => d.id === chosen);
  return (
    <>
      <option value="">System default</option>
      {devices.map((d) => (
        <option key={d.id} value={d.id}>
          {d.label}
        </option>
      ))}
      {missing && <option value={chosen}>Chosen earlier (not connected)</option>}
    </>
  );
}

function Quality(): JSX.Element | null {
  const { store } = useKit();
  const q = store.quality.value;
  if (!q) return null;
  const parts = [
    q.rttMs === undefined ? '' : `round trip ${Math.round(q.rttMs)} ms`,
    q.bufferMs === undefined ? '' : `buffer ${Math.round(q.bufferMs)} ms`,
    q.loss === undefined ? '' : `loss ${(q.loss * 100).toFixed(q.loss < 0.1 ? 1 : 0)} %`,
  ].filter(Boolean);
  return parts.length === 0 ? null : <p class="quality">Line: {parts.join(', ')}</p>;
}

export function SoundPanel(): JSX.Element {
  const { store, controller, canChooseSpeaker } = useKit();
  const { microphone, listenOnly, speaker, volume } = store.settings.value;
  const { microphones, speakers } = store.devices.value;
  const percent = Math.round(volume * 100);
  const chosen = listenOnly ? none : microphone;
  return (
    <section class="panel" aria-labelledby="sound-title">
      <div class="panel-head">
        <h2 id="sound-title">Sound</h2>
      </div>
      <div class="fields">
        <label for="mic-select">Microphone</label>
        <select id="mic-select" data-testid="mic-select" value={chosen} onChange={({ currentTarget: { value } }) => controller.chooseMic(value === none ? '' : value, value === none)}>
          <Options devices={microphones} chosen={chosen} />
          <option value={none}>None: listen and write</option>
        </select>
        {canChooseSpeaker && (
          <>
            <label for="speaker-select">Speaker</label>
            <select id="speaker-select" data-testid="speaker-select" value={speaker} onChange={(e) => void controller.chooseSpeaker(e.currentTarget.value)}>
              <Options devices={speakers} chosen={speaker} />
            </select>
          </>
        )}
        <label for="volume">Volume</label>
        <div class="volume">
          <input id="volume" data-testid="volume" type="range" min="0" max="100" step="5" value={percent} aria-valuetext={`${percent} percent`} onInput={(e) => controller.setVolume(Number(e.currentTarget.value) / 100)} />
          <output for="volume">{percent}</output>
        </div>
      </div>
      <Quality />
    </section>
  );
}
