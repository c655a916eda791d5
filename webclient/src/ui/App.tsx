import type { JSX } from 'preact';
import { Composer } from './Composer';
import { KitContext, type Kit } from './context';
import { Dock } from './Dock';
import { Engines } from './Engines';
import { Events } from './Events';
import { Header } from './Header';
import { Line } from './Line';
import { ProblemCard } from './ProblemCard';
import { SoundPanel } from './SoundPanel';
import { Transcript } from './Transcript';
import { Waterfall } from './Waterfall';

export function App({ kit }: { kit: Kit }): JSX.Element {
  return (
    <KitContext.Provider value={kit}>
      <Header />
      <main class="page">
        <section class="talk" aria-label="Call">
          <Line />
          <ProblemCard />
          <Transcript />
          <div class="hands">
            <Composer />
            <Dock />
          </div>
        </section>
        <aside class="side" aria-label="About this call">
          <Waterfall />
          <SoundPanel />
          <Engines />
          <Events />
        </aside>
      </main>
    </KitContext.Provider>
  );
}
