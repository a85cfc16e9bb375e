// The map: states and airports by an Albers projection, and each flight as a spark on its arc.

const MILES_PER_MINUTE = 7.5;
const TAXI_MINUTES = 20;
const COLORS = [[-10, 79, 209, 197], [12, 159, 211, 144], [30, 246, 173, 85], [60, 252, 92, 101]];
const RADIANS = Math.PI / 180;

/** Albers' equal-area projection; Alaska and Hawaii have one of their own, and a place below the others. */
const albers = (south, north, longitude, latitude, scale, x, y) => {
  const [sinSouth, sinNorth] = [Math.sin(south * RADIANS), Math.sin(north * RADIANS)];
  const n = (sinSouth + sinNorth) / 2;
  const c = 1 - sinSouth ** 2 + 2 * n * sinSouth;
  const rho = (lat) => Math.sqrt(c - 2 * n * Math.sin(lat * RADIANS)) / n;
  return ([lon, lat]) => {
    const angle = n * ((((lon - longitude + 540) % 360) - 180) * RADIANS);
    return [x + scale * rho(lat) * Math.sin(angle), y + scale * (rho(lat) * Math.cos(angle) - rho(latitude))];
  };
};
const mainland = albers(29.5, 45.5, -96, 38, 1, 0, 0);
const alaska = albers(55, 65, -154, 58.5, 0.35, -0.307, 0.201);
const hawaii = albers(8, 18, -157, 19.9, 1, -0.172, 0.214);
const project = (point) =>
  point[1] > 50 ? alaska(point) : point[1] < 24 && point[0] < -140 ? hawaii(point) : mainland(point);

export class FlightMap {
  static async open(canvas, speed) {
    const [topology, airports] = await Promise.all(
      ['us.json', 'airports.json'].map((file) => fetch(file).then((answer) => answer.json())),
    );
    return new FlightMap(canvas, speed, statesOf(topology), airports);
  }

  #flights = [];
  #lit = new Map();
  #lastMs = 0;

  constructor(canvas, speed, states, airports) {
    Object.assign(this, { canvas, speed, states, airports, context: canvas.getContext('2d') });
    this.places = new Map(Object.entries(airports).map(([code, { at }]) => [code, project(at)]));
    addEventListener('resize', () => this.#resize());
    this.#resize();
    requestAnimationFrame((now) => this.#draw(now));
  }

  get airborne() {
    return this.#flights.length;
  }

  get clock() {
    if (this.#lastMs === 0) return '\u00a0';
    const options = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit' };
    return new Date(this.#lastMs).toLocaleString('en-GB', { ...options, timeZone: 'UTC' });
  }

  cityOf(code) {
    return this.airports[code]?.city ?? '';
  }

  colorOf(delay) {
    const above = Math.max(1, COLORS.findIndex(([minutes]) => minutes >= delay));
    const [low, high] = delay > COLORS.at(-1)[0] ? [COLORS.at(-1), COLORS.at(-1)] : [COLORS[above - 1], COLORS[above]];
    const share = Math.min(1, Math.max(0, (delay - low[0]) / (high[0] - low[0] || 1)));
    return `rgb(${[1, 2, 3].map((i) => Math.round(low[i] + share * (high[i] - low[i]))).join(' ')})`;
  }

  depart({ origin, destination, distance, delay, dateMs }) {
    this.#lastMs = Math.max(this.#lastMs, dateMs);
    const [from, to] = [this.places.get(origin), this.places.get(destination)];
    if (from === undefined || to === undefined) return;
    const bend = 0.16 * (from[0] < to[0] ? 1 : -1);
    const middle = [(from[0] + to[0]) / 2 + bend * (to[1] - from[1]), (from[1] + to[1]) / 2 - bend * (to[0] - from[0])];
    const lastsMs = ((distance / MILES_PER_MINUTE + TAXI_MINUTES) * 60_000) / this.speed;
    this.#flights.push({ from, middle, to, lastsMs, startMs: performance.now(), color: this.colorOf(delay) });
    this.#lit.set(origin, Math.min(1, (this.#lit.get(origin) ?? 0) + 0.12));
  }

  #resize() {
    const { canvas } = this;
    const { width, height } = canvas.getBoundingClientRect();
    Object.assign(canvas, { width: width * devicePixelRatio, height: height * devicePixelRatio });
    // The panel on the right covers the ocean.
    const room = Math.max(width * 0.6, width - 330);
    this.scale = Math.min(room / 0.86, height / 0.62) * devicePixelRatio;
    this.origin = [(room / 2 + 8) * devicePixelRatio, (height / 2 - 4) * devicePixelRatio];
    this.land = document.createElement('canvas');
    Object.assign(this.land, { width: canvas.width, height: canvas.height });
    this.#drawLand(this.land.getContext('2d'));
  }

  #at([x, y]) {
    return [this.origin[0] + x * this.scale, this.origin[1] + y * this.scale];
  }

  #drawLand(context) {
    const outline = new Path2D();
    for (const ring of this.states) {
      ring.forEach((point, index) => {
        if (index === 0) outline.moveTo(...this.#at(point));
        else outline.lineTo(...this.#at(point));
      });
      outline.closePath();
    }
    context.fillStyle = '#1a2942';
    context.fill(outline);
    context.strokeStyle = '#31456a';
    context.lineWidth = 0.7 * devicePixelRatio;
    context.stroke(outline);
  }

  #draw(now) {
    const { context, canvas } = this;
    context.globalCompositeOperation = 'source-over';
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(this.land, 0, 0);
    context.globalCompositeOperation = 'lighter';
    this.#drawAirports();
    this.#flights = this.#flights.filter(({ startMs, lastsMs }) => now < startMs + lastsMs);
    for (const flight of this.#flights) this.#drawFlight(flight, Math.max(0, now - flight.startMs) / flight.lastsMs);
    requestAnimationFrame((next) => this.#draw(next));
  }

  #drawAirports() {
    for (const [code, light] of this.#lit) {
      this.#lit.set(code, light * 0.985);
      this.#dot(this.places.get(code), 1.3 + 3.5 * light, '#9cc4ff', 0.18 + 0.5 * light);
    }
  }

  #drawFlight({ from, middle, to, color }, t) {
    const { context } = this;
    const point = (at) => this.#at([0, 1].map((i) => (1 - at) ** 2 * from[i] + 2 * at * (1 - at) * middle[i] + at ** 2 * to[i]));
    context.strokeStyle = color;
    context.lineWidth = 1.1 * devicePixelRatio;
    // A tail that fades: where the flight was a moment ago, in ever fainter pieces.
    for (let piece = 0; piece < 6; piece += 1) {
      const [near, far] = [Math.max(0, t - piece * 0.03), Math.max(0, t - (piece + 1) * 0.03)];
      if (near === 0) break;
      context.globalAlpha = 0.42 * (1 - piece / 6);
      context.beginPath();
      context.moveTo(...point(near));
      context.lineTo(...point(far));
      context.stroke();
    }
    this.#dotAt(point(t), 1.5, color, 0.95);
  }

  #dot(place, radius, color, alpha) {
    this.#dotAt(this.#at(place), radius, color, alpha);
  }

  #dotAt([x, y], radius, color, alpha) {
    const { context } = this;
    context.globalAlpha = alpha;
    context.fillStyle = color;
    context.beginPath();
    context.arc(x, y, radius * devicePixelRatio, 0, 2 * Math.PI);
    context.fill();
  }
}

/** The rings of all states, projected. TopoJSON keeps each border once, as steps on a grid. */
function statesOf({ transform: { scale, translate }, arcs, objects }) {
  const lines = arcs.map((arc) => {
    let [x, y] = [0, 0];
    return arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
  });
  const lineOf = (index) => (index < 0 ? lines[~index].toReversed() : lines[index]);
  const polygons = objects.states.geometries.flatMap(({ type, arcs: own }) => (type === 'Polygon' ? [own] : own ?? []));
  return polygons
    .flat()
    .map((ring) => ring.flatMap((index) => lineOf(index)))
    .filter((ring) => ring.every(([lon, lat]) => lat > 18.8 && (lon < -60 || lon > 170)))
    .map((ring) => ring.map(project));
}
