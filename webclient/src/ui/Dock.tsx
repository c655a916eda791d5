import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Mode } from '../state/settings';
import { talkWords } from '../state/status';
import { useKit } from './context';
import { Icon } from './icons';

const modes: readonly { mode: Mode; label: string; help: string }[] = [
  { mode: 'push-to-talk', label: 'Push to talk', help: 'parley listens while you hold the button or the space bar' },
  { mode: 'hands-free', label: 'Hands-free', help: 'parley hears by itself when you speak and when you have finished' },
];

function ModeSwitch(): JSX.Element {
  const { store, controller } = useKit();
  return (
    <div class="modes" role="group" aria-label="How to talk">
      {modes.map(({ mode, label, help }) => (
        <button key={mode} type="button" class="mode" id={`mode-${mode}`} data-testid={`mode-${mode}`} title={help} aria-pressed={store.settings.value.mode === mode} onClick={() => controller.setMode(mode)}>
          {label}
        </button>
      ))}
    </div>
  );
}

function Mute(): JSX.Element {
  const { store, controller } = useKit();
  const on = store.mic.value === 'on';
  const silent = !on || store.muted.value;
  return (
    <button
      type="button"
      class={silent && store.mic.value !== 'asking' ? 'round side-button muted' : 'round side-button'}
      id="mute-button"
      data-testid="mute-button"
      aria-label={on ? 'Mute' : 'Turn the microphone on'}
      title={on ? (silent ? 'Unmute' : 'Mute') : 'Turn the microphone on'}
      aria-pressed={on ? silent : undefined}
      disabled={store.mic.value === 'asking'}
      onClick={() => controller.toggleMute()}
    >
      <Icon name={silent ? 'micOff' : 'mic'} />
    </button>
  );
}

/** Held by finger, mouse, Enter or (anywhere on the page) the space bar; a screen reader's click toggles it. */
function Talk(): JSX.Element {
  const { store, controller } = useKit();
  const button = useRef<HTMLButtonElement>(null);
  const live = store.phase.value === 'live';
  const talking = store.talking.value;
  const { words, free } = talkWords({ talking, opening: store.opening.value, muted: store.muted.value, mic: store.mic.value });
  useEffect(() => {
    // The key that placed the call must not hang it up when it is pressed to talk.
    if (live && document.activeElement?.id === 'call-button') button.current?.focus({ preventScroll: true });
  }, [live]);
  const stop = (): void => controller.talkStop();
  return (
    <button
      ref={button}
      type="button"
      class="talk-button"
      id="talk-button"
      data-testid="talk-button"
      aria-pressed={talking}
      disabled={!live || !free}
      onPointerDown={(e) => {
        if (e.button !== 0) return;
        e.currentTarget.setPointerCapture(e.pointerId);
        controller.talkStart();
      }}
      onPointerUp={stop}
      onPointerCancel={stop}
      onLostPointerCapture={stop}
      onContextMenu={(e) => e.preventDefault()}
      onKeyDown={(e) => {
        if (e.key !== 'Enter') return;
        e.preventDefault();
        if (!e.repeat) controller.talkStart();
      }}
      onKeyUp={(e) => {
        if (e.key === 'Enter') stop();
      }}
      onClick={(e) => {
        if (e.detail !== 0) return;
        if (talking || store.opening.value) stop();
        else controller.talkStart();
      }}
    >
      <span class="talk-label">{words}</span>
      {words === 'Hold to talk' && (
        <span class="talk-key" aria-hidden="true">
          or hold the space bar
        </span>
      )}
    </button>
  );
}

function Centre(): JSX.Element {
  const { store, controller } = useKit();
  const status = store.status.value;
  if (store.settings.value.mode === 'push-to-talk') {
    return (
      <>
        <Talk />
        {status === 'speaking' && (
          <button type="button" class="stop-button stop-small" data-testid="stop-button" aria-label="Stop the answer" title="Stop the answer (Esc)" onClick={() => controller.stopReply()}>
            <Icon name="stop" />
            Stop
            <span class="stop-key" aria-hidden="true">
              Esc
            </span>
          </button>
        )}
      </>
    );
  }
  if (status === 'speaking' || status === 'thinking') {
    return (
      <button type="button" class="stop-button" data-testid="stop-button" title="Stop the answer (Esc)" onClick={() => controller.stopReply()}>
        <Icon name="stop" />
        Stop the answer
      </button>
    );
  }
  if (store.phase.value !== 'live') return <p class="free-hint" />;
  if (store.mic.value !== 'on') return <p class="free-hint">The microphone is off.</p>;
  return <p class="free-hint">{store.muted.value ? 'Unmute to speak.' : 'Just speak. You can interrupt at any time.'}</p>;
}

export function Dock(): JSX.Element {
  const { store, controller } = useKit();
  const phase = store.phase.value;
  const inCall = phase === 'connecting' || phase === 'live' || phase === 'reconnecting';
  return (
    <div class={inCall ? 'dock dock-call' : 'dock'}>
      <ModeSwitch />
      <div class="controls">
        {inCall && <Mute />}
        {inCall && <Centre />}
        <button key="call" type="button" class={inCall ? 'call-button hang-up' : 'call-button'} id="call-button" data-testid="call-button" aria-label={inCall ? 'Hang up' : undefined} title={inCall ? 'Hang up' : undefined} onClick={() => controller.toggleCall()}>
          <Icon name={inCall ? 'hangUp' : 'phone'} />
          {!inCall && (phase === 'idle' ? 'Call' : 'Call again')}
        </button>
      </div>
    </div>
  );
}
