// Run one task of the page's modules on cases from stdin; results go to stdout, both JSON.

import { argv, stdin, stdout } from "node:process";

import { answerOf, scoreOf } from "../../digitnet/report/page/answer.js";
import { lightOf } from "../../digitnet/report/page/image/files.js";
import { Component, connectedComponents } from "../../digitnet/report/page/image/ink/components.js";
import { Neighbours } from "../../digitnet/report/page/image/marks/groups.js";
import { Mask, Plane } from "../../digitnet/report/page/image/plane.js";
import { read } from "../../digitnet/report/page/image/reading.js";
import { Net } from "../../digitnet/report/page/network.js";
import { parametersOf } from "../../digitnet/report/page/parameters.js";

const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64"));

const IMAGE = "../../digitnet/report/page/image";

/** An argument from Python: an array with its shape, or anything else as it is. */
function decoded(argument) {
  if (!argument?.kind) return argument;
  const { kind, shape, values } = argument;
  const bytes = bytesOf(values);
  if (kind === "mask") return new Mask(...shape, bytes);
  const floats = new Float32Array(bytes.buffer);
  return shape.length === 1 ? floats : new Plane(...shape, floats);
}

/** A result as JSON: pictures and components as objects, typed arrays as arrays. */
function encoded(result) {
  if (result instanceof Plane || result instanceof Mask)
    return { shape: [result.h, result.w], values: Array.from(result.v) };
  if (result instanceof Component) return { runs: result.runs, area: result.area };
  if (ArrayBuffer.isView(result)) return Array.from(result);
  if (Array.isArray(result)) return result.map(encoded);
  if (result === null || typeof result !== "object") return result;
  return Object.fromEntries(Object.entries(result).map(([key, value]) => [key, encoded(value)]));
}

function netOf({ model, kind, matrices }) {
  return new Net(
    model,
    matrices.map((text) => parametersOf(text, kind)),
  );
}

/** Opaque pixels as a canvas has them. */
const opaque = (grey) =>
  Uint8ClampedArray.from({ length: 4 * grey.length }, (_, k) => (k % 4 === 3 ? 255 : grey[k >> 2]));

const TASKS = {
  /** Answers to prepared pictures, n × 784 bytes. */
  answers({ net, images }) {
    const network = netOf(net);
    const pixels = bytesOf(images);
    const n = pixels.length / net.model.sizes[0];
    return Array.from({ length: n }, (_, i) =>
      answerOf(network.forward(pixels.subarray(i * 784, i * 784 + 784)), net.model),
    );
  },

  answersToOutputs: ({ cases }) =>
    cases.map(({ outputs, model, reading }) => answerOf(outputs, model, reading)),

  /** What an exported module gives for prepared pictures, n × 784 bytes, and what else it exports. */
  async exported({ module, images }) {
    const { predict, check, ...values } = await import(module);
    const pixels = Float32Array.from(bytesOf(images), (byte) => byte / 255);
    const n = pixels.length / 784;
    const pictures = Array.from({ length: n }, (_, i) => pixels.subarray(i * 784, i * 784 + 784));
    return { answers: pictures.map(predict), isIntact: check(), values };
  },

  /** What an exported module says about input that is not 784 numbers from 0 to 1. */
  async refusals({ module }) {
    const { predict } = await import(module);
    const inputs = [
      undefined,
      null,
      "0".repeat(784),
      784,
      {},
      new Set(),
      [],
      new Float32Array(783),
      new Uint8ClampedArray(4 * 784),
      Array.from({ length: 28 }, () => new Float32Array(28)),
      new Array(784),
      new Array(784).fill("1"),
      new BigInt64Array(784),
      new Uint8Array(784).fill(255),
      new Float64Array(784).fill(-0.1),
      new Float64Array(784).fill(NaN, 783),
      new Float64Array(784).fill(Infinity),
    ];
    return inputs.map((input) => {
      try {
        return predict(input);
      } catch (error) {
        return `${error.name}: ${error.message}`;
      }
    });
  },

  /** Readings of grey pads, n × side × side bytes. */
  readings({ net, pads, side }) {
    const network = netOf(net);
    const grey = bytesOf(pads);
    const size = side * side;
    return Array.from({ length: grey.length / size }, (_, i) => {
      const rgba = opaque(grey.subarray(i * size, (i + 1) * size));
      const reading = read(lightOf(rgba, side, side), scoreOf(network, net.model));
      return reading.image ? { ...reading, image: Array.from(reading.image) } : reading;
    });
  },

  /** Results of functions of the preparation: calls are [module, function, ...arguments]. */
  async calls({ calls }) {
    const results = [];
    for (const [module, name, ...values] of calls) {
      const { [name]: called } = await import(`${IMAGE}/${module}`);
      results.push(encoded(called(...values.map(decoded))));
    }
    return results;
  },

  /** Bars, groups and written components of the components of masks. */
  components({ masks }) {
    return masks.map((argument) => {
      const mask = decoded(argument);
      const parts = connectedComponents(mask);
      const groups = [...new Neighbours(parts, mask.h, mask.w).groups()];
      return encoded({ parts, bars: parts.map((part) => part.asBar()), groups });
    });
  },

  /** Written components of masks, the ink on even paper. */
  async written({ masks }) {
    const { findFrames, writtenComponents } = await import(`${IMAGE}/marks/structure.js`);
    return masks.map((argument) => {
      const marked = decoded(argument);
      const parts = connectedComponents(marked);
      const ink = { marked, sure: marked, isEven: true };
      return encoded({ written: writtenComponents(ink, parts), frames: findFrames(parts) });
    });
  },

  slopes({ net, image, layer, factors }) {
    const network = netOf(net);
    network.forward(bytesOf(image));
    return Array.from(network.slopes(layer, factors));
  },

  parameters({ net, layer }) {
    const network = netOf(net);
    const [nIn, nOut] = network.sizes.slice(layer);
    const neurons = Array.from({ length: nOut }, (_, j) => j);
    const weights = neurons.map((j) =>
      Array.from({ length: nIn }, (_, i) => network.weight(layer, j, i)),
    );
    return { weights, biases: neurons.map((j) => network.bias(layer, j)) };
  },
};

const chunks = [];
for await (const chunk of stdin) chunks.push(chunk);
const data = JSON.parse(Buffer.concat(chunks).toString());
stdout.write(JSON.stringify(await TASKS[argv[2]](data)));
