/**
 * Curves as a picture: cost over size, both in powers of ten.
 *
 * @packageDocumentation
 */

/** One curve. */
export type Curve = {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Whether it is drawn in dashes, as C git's are. */
  readonly isDashed?: boolean;
};

/** One panel of the picture. */
export type Panel = {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly curves: readonly Curve[];
};

const [WIDTH, HEIGHT, GAP, COLUMNS] = [430, 300, 16, 2];
const MARGIN = { left: 58, right: 16, top: 34, bottom: 42 };
/** The room of a curve's name. */
const LEGEND_LINE = 15;
const COLOURS = ["#0b6bcb", "#c2410c", "#15803d", "#7c3aed", "#b91c1c"];

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** Maps values to places: the powers of ten between which they lie are its ends. */
class Scale {
  readonly least: number;
  readonly most: number;
  readonly #from: number;
  readonly #to: number;

  constructor(values: readonly number[], from: number, to: number) {
    this.least = Math.floor(Math.log10(Math.min(...values)));
    this.most = Math.max(this.least + 1, Math.ceil(Math.log10(Math.max(...values))));
    this.#from = from;
    this.#to = to;
  }

  at(value: number): number {
    const part = (Math.log10(value) - this.least) / (this.most - this.least);
    return this.#from + part * (this.#to - this.#from);
  }

  get powers(): number[] {
    return Array.from({ length: this.most - this.least + 1 }, (_, at) => 10 ** (this.least + at));
  }
}

const text = (x: number, y: number, words: string, rest = ""): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${rest}>${escaped(words)}</text>`;

const shown = (value: number): string =>
  value >= 1 ? value.toLocaleString("en") : String(Number(value.toPrecision(1)));

function axes(panel: Panel, across: Scale, up: Scale): string[] {
  const [bottom, right] = [HEIGHT - MARGIN.bottom, WIDTH - MARGIN.right];
  const columns = across.powers.flatMap((power) => [
    `<path class="grid" d="M${across.at(power).toFixed(1)} ${MARGIN.top}V${bottom}"/>`,
    text(across.at(power), bottom + 15, shown(power), ' text-anchor="middle"'),
  ]);
  const rows = up.powers.flatMap((power) => [
    `<path class="grid" d="M${MARGIN.left} ${up.at(power).toFixed(1)}H${right}"/>`,
    text(MARGIN.left - 6, up.at(power) + 4, shown(power), ' text-anchor="end"'),
  ]);
  return [
    ...columns,
    ...rows,
    text(MARGIN.left, 20, panel.title, ' class="title"'),
    text((MARGIN.left + right) / 2, HEIGHT - 8, panel.x, ' text-anchor="middle"'),
    text(
      12,
      (MARGIN.top + bottom) / 2,
      panel.y,
      ` text-anchor="middle" transform="rotate(-90 12 ${(MARGIN.top + bottom) / 2})"`,
    ),
  ];
}

function drawn(curve: Curve, number: number, across: Scale, up: Scale): string[] {
  const colour = COLOURS[number % COLOURS.length] ?? "black";
  const places = curve.points.map(([x, y]) => `${across.at(x).toFixed(1)} ${up.at(y).toFixed(1)}`);
  const dashes = curve.isDashed === true ? ' stroke-dasharray="5 4"' : "";
  return [
    `<path fill="none" stroke="${colour}" stroke-width="2"${dashes} d="M${places.join("L")}"/>`,
    ...places.map((place) => `<circle fill="${colour}" r="3" cx="${place.split(" ").join('" cy="')}"/>`),
  ];
}

function legend(curves: readonly Curve[]): string[] {
  return curves.flatMap((curve, number) => {
    const y = MARGIN.top + 12 + number * LEGEND_LINE;
    const colour = COLOURS[number % COLOURS.length] ?? "black";
    const dashes = curve.isDashed === true ? ' stroke-dasharray="5 4"' : "";
    return [
      `<path stroke="${colour}" stroke-width="2"${dashes} d="M${MARGIN.left + 8} ${y - 4}h20"/>`,
      text(MARGIN.left + 34, y, curve.name),
    ];
  });
}

function drawPanel(panel: Panel, at: number): string {
  const curves = panel.curves.map((curve) => ({ ...curve, points: curve.points.filter(([, y]) => y > 0) }));
  const drawable = curves.filter(({ points }) => points.length > 0);
  const all = drawable.flatMap(({ points }) => points);
  const across = new Scale(
    all.map(([x]) => x),
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  // Some room above, where the names of the curves stand.
  const values = all.map(([, y]) => y);
  const up = new Scale([...values, Math.max(...values) * 10], HEIGHT - MARGIN.bottom, MARGIN.top);
  const x = (at % COLUMNS) * (WIDTH + GAP);
  const y = Math.floor(at / COLUMNS) * (HEIGHT + GAP);
  const parts = [
    ...axes(panel, across, up),
    ...drawable.flatMap((curve, number) => drawn(curve, number, across, up)),
    ...legend(drawable),
  ];
  return `<g transform="translate(${x} ${y})">\n${parts.join("\n")}\n</g>`;
}

/** Returns panels of curves as an SVG picture, on white, so that it can be read on any page. A panel without points is left out. */
export function drawCurves(panels: readonly Panel[]): string {
  const shownPanels = panels.filter(({ curves }) => curves.some(({ points }) => points.some(([, y]) => y > 0)));
  const rows = Math.ceil(shownPanels.length / COLUMNS);
  const [width, height] = [COLUMNS * WIDTH + GAP, rows * HEIGHT + Math.max(0, rows - 1) * GAP];
  const style =
    "text{font:11px system-ui,sans-serif;fill:#24292f}.title{font-size:13px;font-weight:600}.grid{stroke:#d8dee4}";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>What a repository costs as it grows</title>`,
    `<style>${style}</style>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...shownPanels.map(drawPanel),
    "</svg>\n",
  ].join("\n");
}
