import type { JSX } from 'preact';

const paths = {
  phone: 'M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.25 11.4 11.4 0 0 0 3.6.57 1 1 0 0 1 1 1V20a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.25.2 2.45.57 3.57a1 1 0 0 1-.25 1z',
  hangUp: 'M12 9c-1.6 0-3.15.25-4.6.72v3.1a1 1 0 0 1-.56.9c-.98.49-1.87 1.12-2.66 1.85a1 1 0 0 1-1.39-.02L.3 13.08a1 1 0 0 1 0-1.41A16.9 16.9 0 0 1 12 7c4.54 0 8.67 1.78 11.7 4.67a1 1 0 0 1 0 1.41l-2.49 2.48a1 1 0 0 1-1.39.01 11 11 0 0 0-2.66-1.85 1 1 0 0 1-.56-.9v-3.1A15.2 15.2 0 0 0 12 9z',
  mic: 'M12 14.5a3 3 0 0 0 3-3v-6a3 3 0 1 0-6 0v6a3 3 0 0 0 3 3zm5.3-3a5.3 5.3 0 0 1-10.6 0H5a7 7 0 0 0 6.15 6.94V21h1.7v-2.56A7 7 0 0 0 19 11.5z',
  micOff: 'M3.3 2 2 3.3l7 7v1.2a3 3 0 0 0 4.3 2.7l1.4 1.4a5.3 5.3 0 0 1-8-4.1H5a7 7 0 0 0 6.15 6.94V21h1.7v-2.56a7 7 0 0 0 3-1.1L20.7 22l1.3-1.3zM15 11.2V5.5a3 3 0 0 0-5.9-.7zm3.9 1.9.1-1.6h-1.7q0 .2-.03.4z',
  send: 'M3.4 20.4 21 12 3.4 3.6 3.4 10l11 2-11 2z',
  stop: 'M7 7h10v10H7z',
  copy: 'M8 3h11a1 1 0 0 1 1 1v12h-2V5H8zM5 7h9a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1zm1 2v10h7V9z',
  check: 'm9.5 17.6-5.3-5.3 1.4-1.4 3.9 3.9 8.9-8.9 1.4 1.4z',
  close: 'm6.4 5 5.6 5.6L17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z',
  light: 'M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM11 2h2v3h-2zm0 17h2v3h-2zM2 11h3v2H2zm17 0h3v2h-3zM4.2 5.6l1.4-1.4 2.1 2.1-1.4 1.4zm12.1 12.1 1.4-1.4 2.1 2.1-1.4 1.4zM4.2 18.4l2.1-2.1 1.4 1.4-2.1 2.1zM16.3 6.3l2.1-2.1 1.4 1.4-2.1 2.1z',
  dark: 'M12.5 3a9 9 0 1 0 8.4 12.2A7.2 7.2 0 0 1 12.5 3z',
  system: 'M4 4h16a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1h-6v2h3v2H7v-2h3v-2H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zm1 2v9h14V6z',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
      <path d={paths[name]} fill="currentColor" />
    </svg>
  );
}

/** Two ends and the line between them. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 40 16" width="40" height="16" aria-hidden="true">
      <path class="mark-line" d="M8 8h24" />
      <circle class="mark-you" cx="7" cy="8" r="6" />
      <circle class="mark-parley" cx="33" cy="8" r="6" />
    </svg>
  );
}
