/** How the line is drawn at one instant; plain figures, no DOM. */
export interface Picture {
  width: number;
  height: number;
  /** Newest first, 0 to 1; 0 for the caller while nobody listens. */
  mic: readonly number[];
  reply: readonly number[];
  /** How far the bars have moved towards the next step, 0 to 1. */
  shift: number;
  /** Where the travelling dot is, 0 to 1 along the line; undefined shows none. */
  dot: number | undefined;
  colors: { line: string; you: string; parley: string };
}

export const pitch = 6; // px from bar to bar
const barWidth = 3;

/** How many bars fit between an end of the line and its middle. */
export function barCount(width: number): number {
  return Math.max(0, Math.floor(width / 2 / pitch) - 2);
}

/** Draws the line between the two ends: each voice travels from its end to the middle. */
export function paint(g: CanvasRenderingContext2D, p: Picture): void {
  const middle = p.height / 2;
  g.clearRect(0, 0, p.width, p.height);
  g.lineCap = 'round';
  g.globalAlpha = 1;
  g.strokeStyle = p.colors.line;
  g.lineWidth = 2;
  stroke(g, 8, middle, p.width - 8, middle);
  side(g, p, p.mic, { color: p.colors.you, x: (at) => 12 + at });
  side(g, p, p.reply, { color: p.colors.parley, x: (at) => p.width - 12 - at });
  g.globalAlpha = 1;
  end(g, 8, middle, p.colors.you);
  end(g, p.width - 8, middle, p.colors.parley);
  if (p.dot !== undefined) {
    g.fillStyle = p.colors.parley;
    g.beginPath();
    g.arc(8 + p.dot * (p.width - 16), middle, 4, 0, 2 * Math.PI);
    g.fill();
  }
}

interface Side {
  color: string;
  x: (at: number) => number;
}

function side(g: CanvasRenderingContext2D, p: Picture, levels: readonly number[], s: Side): void {
  const reach = (p.height - 8) / 2;
  g.strokeStyle = s.color;
  g.lineWidth = barWidth;
  levels.forEach((level, i) => {
    if (level < 0.02) return;
    const age = (i + p.shift) / levels.length;
    g.globalAlpha = (1 - age) ** 0.7;
    const h = Math.max(1, level * reach * (1 - 0.5 * age));
    const x = s.x((i + p.shift) * pitch + pitch);
    stroke(g, x, p.height / 2 - h, x, p.height / 2 + h);
  });
}

function stroke(g: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  g.beginPath();
  g.moveTo(x0, y0);
  g.lineTo(x1, y1);
  g.stroke();
}

function end(g: CanvasRenderingContext2D, x: number, y: number, color: string): void {
  g.fillStyle = color;
  g.beginPath();
  g.arc(x, y, 6, 0, 2 * Math.PI);
  g.fill();
}
