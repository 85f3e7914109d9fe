/**
 * A small plot of bars, drawn by the server: it needs no script and no style of its own.
 *
 * @packageDocumentation
 */

/** A bar: what it stands for, and how large it is. */
export type Bar = { readonly label: string; readonly value: number };

/** Units of a bar's width, of the gap behind it, and of the plot's height. */
const WIDTH = 8;
const GAP = 2;
const HEIGHT = 48;

/** The plot. `text` writes a value for people. */
export function Plot({
  title,
  bars,
  text,
}: {
  readonly title: string;
  readonly bars: readonly Bar[];
  readonly text: (value: number) => string;
}) {
  const most = bars.reduce((largest, { value }) => Math.max(largest, value), 0);
  const peak = bars.find(({ value }) => value === most);
  const summary = most === 0 || peak === undefined ? "nothing" : `at most ${text(most)}, ${peak.label}`;
  return (
    <figure class="plot">
      <figcaption>
        {title} <span class="note">{summary}</span>
      </figcaption>
      <svg
        role="img"
        aria-label={`${title}: ${summary}`}
        viewBox={`0 0 ${Math.max(1, bars.length) * (WIDTH + GAP)} ${HEIGHT}`}
        preserveAspectRatio="none"
      >
        {bars.map(({ label, value }, at) => {
          const height = most === 0 ? 0 : Math.max(value > 0 ? 1 : 0, Math.round((value / most) * HEIGHT));
          return (
            <rect
              x={String(at * (WIDTH + GAP))}
              y={String(HEIGHT - height)}
              width={String(WIDTH)}
              height={String(height)}
            >
              <title>{`${label}: ${text(value)}`}</title>
            </rect>
          );
        })}
      </svg>
    </figure>
  );
}
