// Puts the page together: what is drawn goes through the network to everything that shows it.

import { ONE_DIGIT, answerOf } from "./answer.js";
import { Choice } from "./choice.js";
import { all, byId, make, setText } from "./dom.js";
import { Downhill } from "./downhill.js";
import { Inspector } from "./inspector.js";
import { Mistakes } from "./mistakes.js";
import { enableCopying, followSections } from "./navigation.js";
import { Net } from "./network.js";
import { Outputs, Verdict } from "./outputs.js";
import { Pad } from "./pad.js";
import { parametersOf } from "./parameters.js";
import { KeyboardPen } from "./pen.js";
import { readPad } from "./reader.js";
import { Sheet, withPictures } from "./sheets.js";
import { Stage } from "./stage.js";
import { clipped, kindOfPicture } from "./text.js";
import { isCalm, whenLookChanges } from "./themes.js";
import { Tiles } from "./tiles.js";

const MAX_INSTANT = 1_000_000; // parameters: the slopes of a larger network wait for a pause
const PAUSE = 250; // ms without a change: drawing has paused
const SAY_AFTER = 700; // ms without a change before a screen reader says the answer

const PAGE_KEYS = { PageDown: 1, PageUp: -1 }; // steps through the pictures
const ARROW_KEYS = { ArrowRight: 1, ArrowLeft: -1 };

const data = JSON.parse(byId("data").textContent);
const { model } = data;
const net = new Net(
  model,
  data.weights.map((text) => parametersOf(text, data.kind)),
);
const parameters = net.matrices.reduce((sum, matrix) => sum + matrix.length, 0);
const samples = new Sheet(data.samples);

const pad = new Pad(byId("pad"), schedule);
new KeyboardPen(pad, byId("cross"), say);
const stage = new Stage(byId("net"), byId("room"), net, model);
const outputs = new Outputs(byId("outputs"), model.class_names);
const verdict = new Verdict(byId("answer"), byId("sure"), model);
const inspector = new Inspector(net, model, samples, (k) => showSample(k));
const choice = new Choice(stage, showChoice);
const tiles = new Tiles(net, data.reach, (neuron) => choice.choose(neuron, neuron !== null));
const downhill = data.landscape ? new Downhill(data.landscape, data.snapshots, model) : null;

/** @type {import("./answer.js").Answer | null} */
let answer = null;
let reading = readDrawing();
let sample = -1; // the test picture that was shown last
let frame = 0;
let restUntil = 0; // ms: no refresh during a stroke before this time
let pause = 0;
let speech = 0;

/**
 * Refresh the page in the next frame, once for all changes until then. During a stroke, as much time
 * passes without work as the last refresh took: on slow machines the pen still follows the hand.
 */
function schedule() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    const started = performance.now();
    const isStroke = pad.isBusy;
    if (isStroke && started < restUntil) {
      schedule();
      return;
    }
    refresh();
    if (!isStroke) return;
    const ended = performance.now();
    restUntil = 2 * ended - started;
    performance.measure("digitnet: stroke", { start: started, end: ended });
  });
}

/** Read the pad, and show what the network makes of it. */
function refresh() {
  cancelAnimationFrame(frame);
  frame = 0;
  reading = readDrawing();
  answer = reading.error === null ? answerOf(net.forward(reading.pixels), model, reading) : null;
  if (!answer) net.forward(reading.pixels);
  stage.show(reading.pixels);
  stage.draw();
  showAnswer();
  outputs.show(answer);
  tiles.showLevels((j) => (answer ? stage.level(0, j) : 0));
  downhill?.read(reading.pixels);
  byId("hint").hidden = !pad.isEmpty;
  byId("undo").disabled = !pad.history.length;
  byId("clear").disabled = pad.isEmpty;
  byId("save").disabled = !pad.drawing.strokes.length;
  clearTimeout(pause);
  if (parameters <= MAX_INSTANT || !pad.isBusy) explain();
  pause = setTimeout(settle, PAUSE);
  clearTimeout(speech);
  speech = setTimeout(() => say(answer ? verdict.text : ""), SAY_AFTER);
}

/** Show what takes longer than a frame allows, when drawing has paused. */
function settle() {
  if (parameters > MAX_INSTANT && pad.isBusy) explain();
  tiles.showRest();
}

function readDrawing() {
  const { picture, found } = pad.drawing;
  if (picture) return { pixels: picture, ...found, error: null };
  if (pad.isEmpty) return { pixels: new Uint8Array(784), digits: 0, prior: 0, error: "" };
  return readPad(pad.rgba(), net, model);
}

function showAnswer() {
  const { label } = pad.drawing;
  if (!answer) {
    verdict.showNone(reading.error ? "No digit found" : "Nothing drawn yet", reading.error);
    return;
  }
  const judged = label === answer.best ? "right" : "wrong";
  const name = label === null ? "" : clipped(model.class_names[label], 16);
  const origin = `${kindOfPicture(data.samples.split)} of ${name}: ${judged}`;
  verdict.showAnswer(answer, reading.digits, label === null ? "" : origin);
}

function explain() {
  if (stage.chosen) inspector.inspect(stage.chosen, stage.look.theme);
  else inspector.explain(answer, stage.look.theme);
}

/** Show a neuron, or again the reason of the answer. */
function showChoice(neuron, isByKey) {
  stage.choose(neuron);
  tiles.mark(neuron);
  explain();
  if (isByKey) say(`${byId("what").textContent}. ${byId("about").textContent}`);
}

/** Put a picture on the stage, and send it through the layers. */
function show(pixels, label = null, found = ONE_DIGIT) {
  pad.show(pixels, label, found);
  refresh();
  startWave();
}

function startWave() {
  if (!isCalm()) stage.startWave();
}

async function showSample(k) {
  sample = k;
  show((await samples.pictures())[k], samples.labels[k], samples.foundIn(k));
}

function showNeighbour(step) {
  const n = samples.labels.length;
  return showSample((sample + step + n) % n);
}

function stepByKeys(element, keys) {
  element.addEventListener("keydown", (event) => {
    if (!(event.key in keys) || !samples.labels.length) return;
    event.preventDefault();
    showNeighbour(keys[event.key]);
  });
}

function showFromBelow(pixels, label, found) {
  show(pixels, label, found);
  byId("draw").scrollIntoView();
}

function say(text) {
  setText(byId("said"), text);
}

function savePad() {
  byId("pad").toBlob((blob) => {
    const href = URL.createObjectURL(blob);
    make("a", { href, download: "drawing.png" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  });
}

function redraw() {
  stage.stopWave();
  stage.arrange();
  stage.draw();
  explain();
  tiles.paint();
  downhill?.redraw();
}

function listen() {
  byId("clear").addEventListener("click", () => pad.clear());
  byId("undo").addEventListener("click", () => pad.undo());
  byId("save").addEventListener("click", savePad);
  byId("replay").addEventListener("click", startWave);
  byId("next")?.addEventListener("click", () => showNeighbour(1));
  byId("previous")?.addEventListener("click", () => showNeighbour(-1));
  stepByKeys(byId("pad"), PAGE_KEYS);
  for (const button of all(".samples button")) stepByKeys(button, { ...PAGE_KEYS, ...ARROW_KEYS });
  stage.onWave = (isOn) => byId("outputs").classList.toggle("waiting", isOn);
  new ResizeObserver(() => {
    stage.arrange();
    stage.draw();
    downhill?.landscape.draw();
  }).observe(byId("room"));
  whenLookChanges(redraw);
}

/**
 * What scripts and tests may use.
 *
 * answer: what the network makes of the picture on the stage (see `answerOf`); null without one.
 * pixels: the 784 bytes that it sees. read(): the pad's reading: pixels, the number of digits, the
 * prior, and an error or null. show(pixels, label): put 784 bytes on the stage, with the index of
 * their class if it is known.
 */
const scripting = {
  get answer() {
    return answer;
  },
  get pixels() {
    return stage.pixels;
  },
  read: readDrawing,
  show,
};

listen();
const mistakes = new Sheet(withPictures(data.mistakes));
new Mistakes(data.mistakes, mistakes, model.class_names, showFromBelow);
followSections();
enableCopying();
refresh();
if (samples.labels.length) showSample(0);
Object.assign(window, { digitnet: scripting });
