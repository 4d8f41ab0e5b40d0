// Places of a chart's parts. Pure.
export interface Point {
  readonly x: number;
  readonly y: number | null;
}

export interface Mark {
  readonly at: number;
  readonly value: number | null;
  readonly x: number;
  readonly y: number;
}

export interface ChartLayout {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly base: number;
  readonly barWidth: number;
  readonly ticks: readonly { value: number; y: number }[];
  readonly marks: readonly Mark[];
  readonly line: string;
  readonly area: string;
}

const MARGIN = { left: 64, right: 8, top: 10, bottom: 24 };

// The next of 1, 2, 5 times a power of ten that is not below the value.
export function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= value * (1 - 1e-12)) ?? 10;
  return step * power;
}

// Null when no point has a value.
export function layOut(points: readonly Point[], width: number, height: number): ChartLayout | null {
  const values = points.flatMap((point) => (point.y === null ? [] : [point.y]));
  if (values.length === 0) return null;
  const first = points[0]?.x ?? 0;
  const span = Math.max(1e-9, (points.at(-1)?.x ?? 0) - first);
  const base = height - MARGIN.bottom;
  const highest = niceCeiling(Math.max(...values));
  const inner = width - MARGIN.left - MARGIN.right;
  const slot = inner / Math.max(1, points.length);
  const toY = (value: number) => base - (Math.max(0, value) / highest) * (base - MARGIN.top);
  const marks = points.map((point) => ({
    at: point.x,
    value: point.y,
    x: MARGIN.left + slot / 2 + ((point.x - first) / span) * (inner - slot),
    y: toY(point.y ?? 0),
  }));
  return {
    left: MARGIN.left,
    right: MARGIN.right,
    top: MARGIN.top,
    base,
    barWidth: Math.max(1.5, slot * 0.7),
    ticks: [0, highest / 2, highest].map((value) => ({ value, y: toY(value) })),
    marks,
    line: runs(marks).map(path).join(""),
    area: runs(marks)
      .map((run) => areaOf(run, base))
      .join(""),
  };
}

// The stretches without a gap.
function runs(marks: readonly Mark[]): Mark[][] {
  const found: Mark[][] = [[]];
  for (const mark of marks) {
    if (mark.value === null) found.push([]);
    else found.at(-1)?.push(mark);
  }
  return found.filter((run) => run.length > 0);
}

function path(run: readonly Mark[]): string {
  return run.map((mark, i) => `${i === 0 ? "M" : "L"}${mark.x.toFixed(1)} ${mark.y.toFixed(1)}`).join("");
}

function areaOf(run: readonly Mark[], base: number): string {
  return `${path(run)}L${(run.at(-1)?.x ?? 0).toFixed(1)} ${base}L${(run[0]?.x ?? 0).toFixed(1)} ${base}Z`;
}
