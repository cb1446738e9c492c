import "./network.js";
import "./answer.js";
import "./prepare.js";
import "./colours.js";
import "./stage.js";
import "./landscape.js";

// Puts everything together: the pad, the stage, the tiles, the hill and all pictures that can be
// put on the stage.

window.digitnet = { Net, Plane, prepare, answerOf, floatsOf };
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const model = data.model;
const net = new Net(model, data.weights.map((text) => floatsOf(text, data.kind)));
const stage = new Stage($("net"), net, model);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const names = model.class_names;
const many = (n) => n.toLocaleString("en");
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

// ---- pictures that came with the page ----------------------------------------------------------
const sheets = {};
async function sheet(name) {
  if (sheets[name] || !data[name].png) return sheets[name] || [];
  const image = new Image();
  image.src = data[name].png;
  await image.decode();
  const canvas = make("canvas", { width: image.width, height: image.height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, 0, 0);
  const columns = image.width / 28;
  const tiles = data[name].labels.map((_, k) => {
    const { data: rgba } = pen.getImageData((k % columns) * 28, Math.floor(k / columns) * 28, 28, 28);
    return Uint8Array.from({ length: 784 }, (_, i) => rgba[4 * i]);
  });
  return (sheets[name] = tiles);
}

function pictureButton(pixels, label, onStage) {
  const canvas = make("canvas");
  paintInk(canvas, pixels);
  const button = make("button", { type: "button", className: "pic" }, canvas);
  button.setAttribute("aria-label", label);
  button.title = label;
  button.onclick = onStage;
  return button;
}

function toStage(pixels, truth) {
  present(pixels, truth);
  $("draw").scrollIntoView({ block: "start" });
}

// ---- the pad -----------------------------------------------------------------------------------
const pad = $("pad");
const PAD = 280;
pad.width = pad.height = PAD;
const ink = pad.getContext("2d", { willReadFrequently: true });
let drawn = false; // by hand: else the pad shows a picture
let pencil = null;

function wipe() {
  ink.fillStyle = "#000";
  ink.fillRect(0, 0, PAD, PAD);
}

function clearPad() {
  wipe();
  drawn = false;
  stage.chosen = null;
  $("hint").hidden = false;
  update(new Uint8Array(784));
}

function line(from, to) {
  if (!drawn) wipe();
  drawn = true;
  $("hint").hidden = true;
  ink.strokeStyle = "#fff";
  ink.lineWidth = 22;
  ink.lineCap = ink.lineJoin = "round";
  ink.beginPath();
  ink.moveTo(...from);
  ink.lineTo(...(from[0] === to[0] && from[1] === to[1] ? [to[0] + 0.1, to[1]] : to));
  ink.stroke();
}

function read() {
  const { data: rgba } = ink.getImageData(0, 0, PAD, PAD);
  const plane = new Plane(PAD, PAD);
  for (let k = 0; k < plane.v.length; k++) plane.v[k] = rgba[4 * k] / 255;
  return prepare(plane);
}

let waiting = 0;
function soon() {
  waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    const started = performance.now();
    const found = read();
    const prepared = performance.now();
    update(found ? found.image : new Uint8Array(784));
    window.digitnet.timing = { prepare: prepared - started, all: performance.now() - started, forward: window.digitnet.forwardTime };
  });
}

const place = (event) => {
  const box = pad.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * PAD, ((event.clientY - box.top) / box.height) * PAD];
};
pad.onpointerdown = (event) => {
  pad.setPointerCapture(event.pointerId);
  pencil = place(event);
  line(pencil, pencil);
  soon();
};
pad.onpointermove = (event) => {
  if (!pencil) return;
  for (const one of event.getCoalescedEvents?.() ?? [event]) {
    const next = place(one);
    line(pencil, next);
    pencil = next;
  }
  soon();
};
pad.onpointerup = pad.onpointercancel = () => (pencil = null);
// By keyboard: arrows move the pen, space lowers and lifts it.
let cursor = [140, 140], down = false;
pad.onkeydown = (event) => {
  const step = { ArrowLeft: [-8, 0], ArrowRight: [8, 0], ArrowUp: [0, -8], ArrowDown: [0, 8] }[event.key];
  if (step) {
    const next = cursor.map((v, k) => Math.min(Math.max(v + step[k], 14), PAD - 14));
    if (down) line(cursor, next);
    cursor = next;
    $("cross").style.transform = `translate(${(cursor[0] / PAD) * pad.clientWidth}px, ${(cursor[1] / PAD) * pad.clientHeight}px)`;
    if (down) soon();
  } else if (event.key === " ") {
    down = !down;
    if (down) line(cursor, cursor), soon();
    say(down ? "pen down" : "pen up");
  } else if (event.key === "Escape" || event.key === "Delete") clearPad();
  else return;
  event.preventDefault();
};
$("clear").onclick = clearPad;
$("save").onclick = () => {
  pad.toBlob((blob) => {
    const link = make("a", { href: URL.createObjectURL(blob), download: "drawing.png" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
};

// ---- what is on the stage ----------------------------------------------------------------------
let truth = null, frame = 0, later = 0;
const parameters = net.matrices.reduce((sum, m) => sum + m.length, 0);

function say(text) {
  $("said").textContent = text;
}

/** A picture of 784 bytes, from the pad as it is drawn. */
function update(pixels, label = null) {
  truth = label;
  const started = performance.now();
  stage.show(pixels);
  window.digitnet.forwardTime = performance.now() - started;
  stage.time = Infinity;
  cancelAnimationFrame(frame);
  stage.draw();
  tell();
}

/** A picture from the page: shown on the pad, and sent through layer by layer. */
function present(pixels, label) {
  wipe();
  drawn = false;
  $("hint").hidden = true;
  const tile = make("canvas");
  paintInk(tile, pixels);
  ink.imageSmoothingEnabled = false;
  ink.drawImage(tile, 0, 0, PAD, PAD);
  update(pixels, label);
  play();
}

function play() {
  if (calm.matches || stage.blank) return;
  cancelAnimationFrame(frame);
  const started = performance.now(), layers = model.sizes.length - 1;
  const step = (now) => {
    stage.time = Math.max(now - started, 0) / 620;
    if (stage.time > layers + 0.6) stage.time = Infinity;
    stage.draw();
    if (stage.time < Infinity) frame = requestAnimationFrame(step);
  };
  frame = requestAnimationFrame(step);
}
$("replay").onclick = play;

function tell() {
  const box = $("answer");
  if (stage.blank) {
    box.replaceChildren(make("b", { textContent: "–" }), make("span", { className: "small", textContent: "Nothing drawn yet" }));
    inspect();
    bars();
    return;
  }
  const answer = answerOf(net.a[net.a.length - 1], model);
  const shown = answer.known ? names[answer.best] : "?";
  const lines = make("span", {}, answer.known ? `${percent(answer.confidence)} sure` : `Perhaps ${names[answer.best]}: not sure enough`);
  lines.append(make("span", { className: "small", textContent: truth !== null ? `Test picture of ${names[truth]}: ${truth === answer.best ? "right" : "wrong"}` : `then ${names[answer.second]}, ${percent(answer.shares[answer.second])}` }));
  box.replaceChildren(make("b", { textContent: clipped(shown, 4) }), lines);
  clearTimeout(later);
  window.digitnet.answer = { ...answer, pixels: [...stage.pixels] };
  if (parameters > 1e6 && pencil) later = setTimeout(inspect, 200); // its slopes cost more than the answer
  else inspect();
  bars();
  thenAnswer();
}

// ---- one neuron, or the reason for the answer --------------------------------------------------
let excited = null; // activations of all sample pictures, per layer
async function samplesOf() {
  if (excited) return excited;
  const tiles = await sheet("samples");
  const other = new Net(model, net.matrices);
  excited = model.sizes.slice(1).map((n) => tiles.map(() => new Float32Array(n)));
  tiles.forEach((pixels, k) => {
    other.forward(pixels);
    other.a.slice(1).forEach((a, l) => excited[l][k].set(a));
  });
  return excited;
}

function caption(id, text) {
  $(id).parentElement.querySelector("figcaption").textContent = text;
}

async function inspect() {
  const theme = stage.look.theme, best = $("best");
  if (!stage.chosen) {
    best.replaceChildren();
    $("besttitle").textContent = "";
    if (stage.blank) {
      for (const id of ["looks", "got"]) paintSigned($(id), new Float64Array(784), 1, theme);
      caption("looks", "");
      caption("got", "");
      $("what").textContent = "Draw a digit";
      $("about").textContent = "Every neuron lights up as far as it is active. Point at a neuron, or move among them with the arrow keys, to see what it looks for.";
      return;
    }
    const answer = answerOf(net.a[net.a.length - 1], model), last = net.sizes.length - 2;
    const factors = new Float64Array(names.length);
    factors[answer.best] = 1;
    factors[answer.second] = -1;
    const slopes = net.slopes(last, factors), got = slopes.map((v, i) => v * net.a[0][i]);
    paintSigned($("looks"), slopes, strongest(slopes), theme);
    paintSigned($("got"), got, strongest(got), theme);
    caption("looks", `ink here: ${names[answer.best]} or ${names[answer.second]}`);
    caption("got", "your ink: for, against");
    $("what").textContent = `Why ${names[answer.best]}, not ${names[answer.second]}?`;
    $("about").textContent = `Blue pixels speak for ${names[answer.best]}, red ones for ${names[answer.second]}: the slope of the difference between both outputs, and that slope × ink.`;
    return;
  }
  const [l, j] = stage.chosen, z = net.z[l][j], a = net.a[l + 1][j], last = l === net.z.length - 1;
  const one = new Float64Array(net.sizes[l + 1]);
  one[j] = 1;
  const slopes = l === 0 ? Float64Array.from({ length: 784 }, (_, i) => net.weight(0, j, i)) : net.slopes(l, one);
  const got = slopes.map((v, i) => v * net.a[0][i]);
  paintSigned($("looks"), slopes, strongest(slopes), theme);
  paintSigned($("got"), got, strongest(got) || 1, theme);
  caption("looks", l === 0 ? "its weights" : "what raises it now");
  caption("got", "what your ink gives");
  let plus = 0, minus = 0;
  for (let i = 0; i < net.sizes[l]; i++) {
    const c = net.weight(l, j, i) * net.a[l][i];
    if (c > 0) plus += c;
    else minus += c;
  }
  const sign = (v) => (v < 0 ? "−" : "+") + Math.abs(v).toFixed(2);
  $("what").textContent = last ? `Output ${names[j]}` : `Layer ${l + 1}, neuron ${j + 1} of ${net.sizes[l + 1]}`;
  $("about").textContent = `activation ${a.toFixed(3)}: ${sign(plus)} for, ${sign(minus)} against, bias ${sign(net.bias(l, j))}, so z = ${z < 0 ? "−" : ""}${Math.abs(z).toFixed(2)}`;
  if (parameters > 3e6) return;
  if (!data.samples.labels.length) return;
  const activations = await samplesOf(), tiles = await sheet("samples");
  if (!stage.chosen || stage.chosen[0] !== l || stage.chosen[1] !== j) return;
  const order = tiles.map((_, k) => k).sort((p, q) => activations[l][q][j] - activations[l][p][j]).slice(0, 8);
  $("besttitle").textContent = "Test digits that excite it most";
  best.replaceChildren(...order.map((k) => pictureButton(tiles[k], `${names[data.samples.labels[k]]}: put on the stage`, () => present(tiles[k], data.samples.labels[k]))));
}

function choose(which) {
  const same = which && stage.chosen && which[0] === stage.chosen[0] && which[1] === stage.chosen[1];
  if (same || (!which && !stage.chosen)) return;
  stage.chosen = which;
  stage.draw();
  inspect();
  for (const tile of document.querySelectorAll(".tile")) tile.setAttribute("aria-pressed", String(!!which && which[0] === 0 && +tile.dataset.j === which[1]));
}

const netCanvas = $("net");
let pinned = false;
netCanvas.onpointermove = (event) => {
  if (pinned || event.pointerType === "touch") return;
  const box = netCanvas.getBoundingClientRect();
  choose(stage.at(event.clientX - box.left, event.clientY - box.top));
};
netCanvas.onclick = (event) => {
  const box = netCanvas.getBoundingClientRect(), which = stage.at(event.clientX - box.left, event.clientY - box.top);
  pinned = !!which;
  choose(which);
};
netCanvas.onpointerleave = () => !pinned && choose(null);
netCanvas.onkeydown = (event) => {
  let [l, j] = stage.chosen || [0, -1];
  const forward = { ArrowDown: 1, ArrowUp: -1 }[event.key], across = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const layers = model.sizes.length - 1;
  if (event.key === "Escape") return (pinned = false), choose(null);
  if (forward) j = (j + forward + model.sizes[l + 1]) % model.sizes[l + 1];
  else if (across) {
    const from = model.sizes[l + 1];
    l = (l + across + layers) % layers;
    j = Math.min(Math.max(Math.round((Math.max(j, 0) / from) * model.sizes[l + 1]), 0), model.sizes[l + 1] - 1);
  } else return;
  event.preventDefault();
  pinned = true;
  choose([l, j]);
  say(`${$("what").textContent}. ${$("about").textContent}`);
};

// ---- samples to step through -------------------------------------------------------------------
let turn = -1;
async function step(by) {
  const tiles = await sheet("samples");
  turn = (turn + by + tiles.length) % tiles.length;
  present(tiles[turn], data.samples.labels[turn]);
}
$("next").onclick = () => step(1);

// ---- what the first layer looks for ------------------------------------------------------------
const theme = () => (isDark() ? "dark" : "light");
function tile(j) {
  const canvas = make("canvas"), bar = make("i");
  const button = make("button", { type: "button", className: "tile" }, canvas, make("span", { className: "bar" }, bar));
  button.dataset.j = j;
  button.setAttribute("aria-label", `Neuron ${j + 1} of layer 1`);
  button.setAttribute("aria-pressed", "false");
  button.onclick = () => {
    const on = button.getAttribute("aria-pressed") === "true";
    pinned = !on;
    choose(on ? null : [0, j]);
  };
  paintTile(canvas, net, j);
  return button;
}
function paintTile(canvas, which, j, look = theme()) {
  const weights = Float64Array.from({ length: 784 }, (_, i) => which.weight(0, j, i));
  paintSigned(canvas, weights, strongest(weights), look);
}
const order = Array.from({ length: model.sizes[1] }, (_, j) => j);
const FIRST = model.sizes[1] <= 64 ? model.sizes[1] : 42;
if (FIRST < order.length) {
  const weight = order.map((j) => data.reach[j]);
  order.sort((p, q) => weight[q] - weight[p]);
  $("tiles").classList.add("many");
}
$("tiles").append(...order.slice(0, FIRST).map(tile));
if ($("rest")) {
  $("rest").addEventListener("toggle", () => {
    const box = $("resttiles");
    if (!box.children.length) box.append(...order.slice(FIRST, 1200).map(tile));
    bars();
  }, { once: true });
}
function bars() {
  for (const button of document.querySelectorAll(".tile")) {
    const level = stage.blank ? 0 : stage.level(0, +button.dataset.j);
    button.querySelector("i").style.width = `${100 * level}%`;
  }
}

// ---- downhill ----------------------------------------------------------------------------------
let thenNets = {};
let hill = null;
if (data.landscape) {
  hill = new Landscape($("land"), data.landscape);
  const range = $("epoch");
  range.max = data.landscape.path.length - 1;
  range.value = range.max;
  range.oninput = () => (stopHill(), showHill(+range.value));
  let rolling = 0;
  const stopHill = () => {
    cancelAnimationFrame(rolling);
    rolling = 0;
    $("roll").textContent = "Roll downhill";
  };
  $("roll").onclick = () => {
    if (rolling) return stopHill();
    if (calm.matches) return showHill(+range.max);
    $("roll").textContent = "Stop";
    const started = performance.now(), steps = +range.max, length = 7000;
    const roll = (now) => {
      const t = Math.min(Math.max((now - started) / length, 0), 1); // a frame may have begun before
      showHill(steps * t ** 1.6);
      rolling = t < 1 ? requestAnimationFrame(roll) : (stopHill(), 0);
    };
    rolling = requestAnimationFrame(roll);
  };
  const land = $("land");
  let grip = null;
  land.onpointerdown = (event) => {
    land.setPointerCapture(event.pointerId);
    grip = event.clientX;
  };
  land.onpointermove = (event) => {
    if (grip === null) return;
    hill.turn += (event.clientX - grip) * 0.008;
    grip = event.clientX;
    hill.draw();
  };
  land.onpointerup = land.onpointercancel = () => (grip = null);
  land.onkeydown = (event) => {
    const by = { ArrowLeft: -0.12, ArrowRight: 0.12 }[event.key];
    if (!by) return;
    hill.turn += by;
    hill.draw();
    event.preventDefault();
  };
  if (data.snapshots) {
    const count = Math.min(model.sizes[1], 16);
    $("then").append(...Array.from({ length: count }, () => make("canvas")));
  }
}
function thenAt(k) {
  if (!data.snapshots) return null;
  let near = 0;
  data.snapshots.epochs.forEach((index, i) => {
    if (Math.abs(index - k) < Math.abs(data.snapshots.epochs[near] - k)) near = i;
  });
  return (thenNets[near] ||= new Net(model, data.snapshots.weights[near].map((text) => floatsOf(text, "float16"))));
}
let painted = null;
function showHill(at) {
  hill.at = at;
  hill.draw();
  const k = Math.round(at), land = data.landscape;
  $("epoch").value = at;
  $("epoch").setAttribute("aria-valuetext", `epoch ${land.epochs[k]}, cost ${land.costs[k].toFixed(3)}`);
  $("h-epoch").textContent = land.epochs[k] === 0 ? "0 (random)" : land.epochs[k];
  $("h-cost").textContent = land.costs[k].toPrecision(3);
  $("h-right").textContent = `${(100 * land.accuracies[k]).toFixed(1)} %`;
  const then = thenAt(k);
  if (then && then !== painted) {
    painted = then;
    [...$("then").children].forEach((canvas, j) => paintTile(canvas, then, j, stage.look.theme));
    thenAnswer();
  }
}
function thenAnswer() {
  if (!hill || !data.snapshots) return;
  if (stage.blank) return void ($("h-answer").textContent = "–");
  const then = painted || thenAt(hill.at), answer = answerOf(then.forward(stage.pixels), { ...model, temperature: 1 });
  $("h-answer").textContent = `${names[answer.best]}, ${percent(answer.confidence)}`;
}

// ---- mistakes ----------------------------------------------------------------------------------
async function drawer(row, column, button) {
  const tiles = await sheet("errors"), { labels, answers, confidences } = data.errors;
  const those = labels.map((_, k) => k).filter((k) => labels[k] === row && answers[k] === column);
  for (const other of document.querySelectorAll(".matrix button")) other.setAttribute("aria-pressed", String(other === button));
  const count = +button.textContent;
  $("drawertitle").textContent = `${names[row]} read as ${names[column]}: ${count}${those.length < count ? `, the ${those.length} surest` : ""}`;
  $("drawer").replaceChildren(...those.map((k) => pictureButton(tiles[k], `${names[row]} read as ${names[column]}, ${percent(confidences[k])} sure: put on the stage`, () => toStage(tiles[k], labels[k]))));
}
const busiest = [...document.querySelectorAll(".matrix button")].sort((p, q) => +q.textContent - +p.textContent)[0];
if (busiest) drawer(+busiest.dataset.row, +busiest.dataset.column, busiest);
for (const button of document.querySelectorAll(".matrix button")) button.onclick = () => drawer(+button.dataset.row, +button.dataset.column, button);
for (const button of document.querySelectorAll(".pictures .pic")) {
  button.onclick = async () => {
    const k = +button.dataset.k;
    toStage((await sheet("errors"))[k], data.errors.labels[k]);
  };
}
for (const button of document.querySelectorAll(".copy")) {
  button.onclick = async () => {
    await navigator.clipboard?.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
  };
}

// ---- start, resize, themes, print --------------------------------------------------------------
function redraw() {
  stage.draw();
  inspect();
  hill?.draw();
  if (hill) (painted = null), showHill(hill.at);
  for (const button of document.querySelectorAll(".tile")) paintTile(button.querySelector("canvas"), net, +button.dataset.j);
}
new ResizeObserver(() => {
  stage.draw();
  hill?.draw();
}).observe(document.body);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
const printing = matchMedia("print");
printing.addEventListener("change", () => {
  stage.look = printing.matches ? PRINT : SCREEN;
  redraw();
});
const links = [...document.querySelectorAll("nav a")];
const watcher = new IntersectionObserver(
  (entries) => entries.forEach(({ target, isIntersecting }) => isIntersecting && links.forEach((link) => (link.hash === `#${target.id}` ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")))),
  { rootMargin: "-20% 0px -70% 0px" },
);
document.querySelectorAll("section[id]").forEach((section) => watcher.observe(section));

wipe();
stage.show(new Uint8Array(784));
stage.draw();
if (!data.samples.labels.length) $("next").hidden = true;
if (data.samples.labels.length) step(1).then(() => hill && showHill(hill.at));
else clearPad();
