import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useKit } from './context';
import { Icon } from './icons';

export function Composer(): JSX.Element {
  const { controller } = useKit();
  const [words, setWords] = useState('');
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        if (controller.sendText(words)) setWords('');
      }}
    >
      <label class="hidden" for="text-input">
        Write to parley
      </label>
      <input id="text-input" data-testid="text-input" type="text" autocomplete="off" enterkeyhint="send" maxLength={4000} placeholder="Or write…" value={words} onInput={(e) => setWords(e.currentTarget.value)} />
      <button type="submit" class="quiet round" id="send-button" data-testid="send-button" aria-label="Send" disabled={words.trim() === ''}>
        <Icon name="send" />
      </button>
    </form>
  );
}
