import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Problem } from '../state/problems';
import { useKit } from './context';
import { Icon } from './icons';

function KeyForm(): JSX.Element {
  const { controller } = useKit();
  const [key, setKey] = useState('');
  return (
    <form
      class="key-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (key.trim() !== '') void controller.submitKey(key);
      }}
    >
      <label class="hidden" for="key-input">
        Key
      </label>
      <input id="key-input" data-testid="key-input" type="password" autocomplete="off" placeholder="Key" value={key} onInput={(e) => setKey(e.currentTarget.value)} />
      <button type="submit" class="solid">
        Use this key
      </button>
    </form>
  );
}

function Action({ problem }: { problem: Problem }): JSX.Element | null {
  const { store, controller } = useKit();
  switch (problem.remedy) {
    case 'call':
      return (
        <button type="button" class="solid" onClick={() => controller.call(!store.settings.value.listenOnly)}>
          Call again
        </button>
      );
    case 'microphone':
      return (
        <button type="button" class="solid" onClick={() => void controller.openMic()}>
          Try again
        </button>
      );
    case 'sound':
      return (
        <button type="button" class="solid" data-testid="enable-audio" onClick={() => controller.enableSound()}>
          Click to hear parley
        </button>
      );
    case 'key':
      return <KeyForm />;
    case 'none':
      return null;
  }
}

export function ProblemCard(): JSX.Element | null {
  const { store, controller } = useKit();
  const problem = store.card.value;
  return (
    <div class="card-slot" role="alert">
      {problem && (
        <div class="card" id="error-card" data-testid="error-card" data-code={problem.code}>
          <h2>{problem.title}</h2>
          <p>{problem.text}</p>
          <Action key={problem.code} problem={problem} />
          {problem.remedy !== 'key' && problem.remedy !== 'sound' && (
            <button type="button" class="quiet round card-close" aria-label="Dismiss" onClick={() => controller.dismiss()}>
              <Icon name="close" />
            </button>
          )}
        </div>
      )}
    </div>
  );
}
