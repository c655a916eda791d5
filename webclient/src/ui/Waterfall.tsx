import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { axisMax, formatFigure, formatMs, medianTotal, stageLabel, stageLabels, turnKey, type Turn } from '../state/turns';
import { useKit } from './context';

function Bar({ turn, max }: { turn: Turn; max: number }): JSX.Element {
  return (
    <span class="bar" aria-hidden="true">
      {turn.stages.map((s) => (
        <span key={s.name} class={`seg stage-${s.name}`} style={{ width: `${(s.ms / max) * 100}%` }} />
      ))}
    </span>
  );
}

function title(turn: Turn): string {
  if (turn.user !== '') return turn.user;
  if (turn.input === 'timer') return 'a timer rang';
  return turn.input === 'speech' || turn.input === 'push_to_talk' ? 'nothing understood' : 'asked without words';
}

function ending(turn: Turn): string {
  if (turn.status === 'completed' || turn.status === '') return '';
  return turn.status === 'failed' ? 'failed' : 'interrupted';
}

function Chart({ turns, active, onActive }: { turns: readonly Turn[]; active: Turn; onActive: (key: string) => void }): JSX.Element {
  const max = axisMax(turns);
  return (
    <div class="chart">
      {turns.map((t) => (
        <button key={turnKey(t)} type="button" class={t === active ? 'turn turn-active' : 'turn'} aria-pressed={t === active} onPointerEnter={() => onActive(turnKey(t))} onFocus={() => onActive(turnKey(t))} onClick={() => onActive(turnKey(t))}>
          <span class="turn-head">
            <span class="turn-number">{t.turn}</span>
            <span class="turn-words">{title(t)}</span>
            {ending(t) !== '' && <span class="tag">{ending(t)}</span>}
            <span class="turn-total">{t.totalMs > 0 ? formatMs(t.totalMs) : 'no reply'}</span>
          </span>
          <Bar turn={t} max={max} />
        </button>
      ))}
      <div class="axis" aria-hidden="true">
        <span>0</span>
        <span>{formatMs(max / 2)}</span>
        <span>{formatMs(max)}</span>
      </div>
    </div>
  );
}

/** The legend, with the figures of the turn that is pointed at. */
function Legend({ turn }: { turn: Turn }): JSX.Element {
  const known = stageLabels.filter((s) => turn.stages.some((t) => t.name === s.name));
  return (
    <dl class="legend" aria-label={`Turn ${turn.turn} by stage`}>
      {known.map((s) => (
        <div key={s.name} class="legend-row" title={s.help}>
          <dt>
            <span class={`swatch stage-${s.name}`} aria-hidden="true" />
            {s.label}
          </dt>
          <dd>{formatMs(turn.stages.find((t) => t.name === s.name)?.ms ?? 0)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Table({ turns, shown }: { turns: readonly Turn[]; shown: boolean }): JSX.Element {
  const names = stageLabels.map((s) => s.name).filter((name) => turns.some((t) => t.stages.some((s) => s.name === name)));
  return (
    <div class={shown ? 'table-box' : 'hidden'} tabIndex={shown ? 0 : undefined} role={shown ? 'region' : undefined} aria-label={shown ? 'Response times as a table' : undefined}>
      <table>
        <caption class="hidden">Response time of the last turns by stage, in milliseconds</caption>
        <thead>
          <tr>
            <th scope="col">Turn</th>
            {turns.map((t) => (
              <th key={turnKey(t)} scope="col">
                {t.turn}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row">{stageLabel(name)}</th>
              {turns.map((t) => (
                <td key={turnKey(t)}>{formatFigure(t.stages.find((s) => s.name === name)?.ms ?? 0)}</td>
              ))}
            </tr>
          ))}
          <tr class="total">
            <th scope="row">Total, ms</th>
            {turns.map((t) => (
              <td key={turnKey(t)}>{formatFigure(t.totalMs)}</td>
            ))}
          </tr>
        </tbody>
      </table>
    </div>
  );
}

export function Waterfall(): JSX.Element {
  const { store } = useKit();
  const turns = store.conversation.value.turns;
  const [pointed, setPointed] = useState('');
  const [table, setTable] = useState(false);
  const active = turns.find((t) => turnKey(t) === pointed) ?? turns.at(-1);
  const median = medianTotal(turns);
  return (
    <section class="panel" id="waterfall" data-testid="waterfall" aria-labelledby="waterfall-title">
      <div class="panel-head">
        <h2 id="waterfall-title">Response time</h2>
        {median !== undefined && <span class="panel-note">median {formatMs(median)}</span>}
        {active && (
          <button type="button" class="quiet small" aria-pressed={table} onClick={() => setTable(!table)}>
            Table
          </button>
        )}
      </div>
      {active ? (
        <div onPointerLeave={() => setPointed('')}>
          {!table && <Chart turns={turns} active={active} onActive={setPointed} />}
          {!table && <Legend turn={active} />}
          <Table turns={turns} shown={table} />
        </div>
      ) : (
        <p class="panel-empty">From your last word to the first sound of the answer, stage by stage. It appears with the first turn.</p>
      )}
    </section>
  );
}
