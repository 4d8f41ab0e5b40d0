// A small line or bar chart in SVG. Its numbers are also there as a table for screen readers. `null` is a gap.
import { Fragment, useEffect, useRef, useState } from "react";
import styles from "./chart.module.css";
import { layOut, type Point } from "./chart-layout.ts";

export interface ChartProps {
  title: string;
  kind: "line" | "bar";
  points: readonly Point[];
  // Writes a value with its unit: "12 requests".
  formatValue: (value: number) => string;
  // Writes a point's x: a time in unix seconds, for example.
  formatX: (x: number) => string;
}

const HEIGHT = 190;

// Laid out for the width that it has, so that its text is never scaled.
function useWidth() {
  const ref = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(640);
  useEffect(() => {
    if (!ref.current || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(
      ([entry]) => entry && setWidth(Math.max(240, Math.round(entry.contentRect.width))),
    );
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}

export function Chart({ title, kind, points, formatValue, formatX }: ChartProps) {
  const [at, setAt] = useState<number | null>(null);
  const { ref, width } = useWidth();
  const chart = layOut(points, width, HEIGHT);
  if (!chart) {
    return (
      <figure ref={ref} className={styles.none}>
        {title}: nothing in this time.
      </figure>
    );
  }
  const marked = at === null ? null : (chart.marks[at] ?? null);
  const nearest = (event: React.PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * width;
    setAt(
      chart.marks.reduce(
        (best, mark, i) => (Math.abs(mark.x - x) < Math.abs((chart.marks[best]?.x ?? 0) - x) ? i : best),
        0,
      ),
    );
  };
  return (
    <figure ref={ref} className={styles.chart}>
      <figcaption className={styles.title}>
        <span>{title}</span>
        <span className={styles.reading}>
          {marked
            ? `${formatX(marked.at)}: ${marked.value === null ? "no data" : formatValue(marked.value)}`
            : ""}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="img"
        aria-label={title}
        onPointerMove={nearest}
        onPointerLeave={() => setAt(null)}
      >
        {chart.ticks.map((tick) => (
          <Fragment key={tick.value}>
            <line x1={chart.left} x2={width - chart.right} y1={tick.y} y2={tick.y} className={styles.grid} />
            <text x={chart.left - 8} y={tick.y + 4} textAnchor="end" className={styles.label}>
              {formatValue(tick.value)}
            </text>
          </Fragment>
        ))}
        {kind === "line" ? (
          <>
            <path d={chart.area} className={styles.area} />
            <path d={chart.line} className={styles.line} />
          </>
        ) : (
          chart.marks.map((mark) =>
            mark.value === null ? null : (
              <rect
                key={mark.at}
                x={mark.x - chart.barWidth / 2}
                y={mark.y}
                width={chart.barWidth}
                height={Math.max(0, chart.base - mark.y)}
                rx="2"
                className={styles.bar}
              />
            ),
          )
        )}
        {marked && marked.value !== null && (
          <>
            <line x1={marked.x} x2={marked.x} y1={chart.top} y2={chart.base} className={styles.cursor} />
            <circle cx={marked.x} cy={marked.y} r="4" className={styles.dot} />
          </>
        )}
        <text x={chart.left} y={HEIGHT - 4} className={styles.label}>
          {formatX(chart.marks[0]?.at ?? 0)}
        </text>
        <text x={width - chart.right} y={HEIGHT - 4} textAnchor="end" className={styles.label}>
          {formatX(chart.marks.at(-1)?.at ?? 0)}
        </text>
      </svg>
      {/* A table takes no height, so it is a box around it that is hidden. */}
      <div className="visually-hidden">
        <table>
          <caption>{title}</caption>
          <tbody>
            {points.map((point) => (
              <tr key={point.x}>
                <th scope="row">{formatX(point.x)}</th>
                <td>{point.y === null ? "no data" : formatValue(point.y)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
